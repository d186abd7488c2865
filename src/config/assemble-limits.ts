import type { ConfigFile } from "./schema/config-schema.ts";
import type { ServerLimits } from "./server-limits.ts";

/** What a valid file says of connections. */
export function assembleServerLimits(file: ConfigFile["server"]["limits"]): ServerLimits {
  return {
    maxConnectionCount: file.max_connections,
    maxConnectionsPerAddressCount: file.max_connections_per_address,
    firstBytesTimeoutMs: file.first_bytes_timeout,
    headersTimeoutMs: file.headers_timeout,
    keepAliveIntervalMs: file.keepalive_interval,
    keepAliveTimeoutMs: file.keepalive_timeout,
    idleTimeoutMs: file.idle_timeout,
    http1IdleTimeoutMs: file.http1_idle_timeout,
    maxAgeMs: file.max_connection_age,
    maxAgeGraceMs: file.max_connection_age_grace,
    pingBurstCount: file.ping_burst,
    pingsPerSecond: file.pings_per_second,
    settingsBurstCount: file.settings_burst,
    settingsPerSecond: file.settings_per_second,
    resetBurstCount: file.reset_burst,
    resetsPerSecond: file.resets_per_second,
    addressResetBurstCount: file.address_reset_burst,
    addressResetsPerSecond: file.address_resets_per_second,
    maxStreamCount: file.max_concurrent_streams,
    maxPipelinedCount: file.max_pipelined_requests,
    minBodyBytesPerSecond: file.min_body_bytes_per_second,
    bodyWindowMs: file.body_window,
    maxRequestMemoryBytes: file.max_request_memory,
    writeStallTimeoutMs: file.write_stall_timeout,
  };
}
