import { DEFAULT_SERVER_LIMITS as DEFAULTS } from "../server-limits.ts";
import { MAX_DURATION_MS } from "../values/duration.ts";
import { byteSize, decimalNumber, duration, section, wholeNumber } from "./fields.ts";

const MAX_COUNT = 10_000_000;

function time(defaultMs: number, description: string) {
  return duration({ minMs: 1, maxMs: MAX_DURATION_MS, defaultMs }, { description });
}

function count(byDefault: number, description: string) {
  return wholeNumber({ min: 1, max: MAX_COUNT }, { description }).default(byDefault);
}

function rate(byDefault: number, description: string) {
  return decimalNumber({ min: 0.001, max: MAX_COUNT }, { description }).default(byDefault);
}

/** `server.limits` in the file. */
export const limitsSection = section({
  max_connections: count(DEFAULTS.maxConnectionCount, "Open connections in total."),
  max_connections_per_address: count(
    DEFAULTS.maxConnectionsPerAddressCount,
    "Open connections from one address; of IPv6, from one /64. Raise it behind a load balancer that hides addresses.",
  ),
  first_bytes_timeout: time(
    DEFAULTS.firstBytesTimeoutMs,
    "How long a new connection may stay silent, and how long its TLS handshake may take.",
  ),
  headers_timeout: time(
    DEFAULTS.headersTimeoutMs,
    "How long the HTTP/2 preface, or the headers of an HTTP/1.1 request, may take.",
  ),
  keepalive_interval: time(
    DEFAULTS.keepAliveIntervalMs,
    "How often each HTTP/2 connection is asked for a sign of life.",
  ),
  keepalive_timeout: time(DEFAULTS.keepAliveTimeoutMs, "How long that sign of life may take."),
  idle_timeout: time(DEFAULTS.idleTimeoutMs, "How long an HTTP/2 connection may stay without a call."),
  http1_idle_timeout: time(
    DEFAULTS.http1IdleTimeoutMs,
    "The same of HTTP/1.1. Keep it longer than the load balancer's, so that the load balancer closes.",
  ),
  max_connection_age: time(
    DEFAULTS.maxAgeMs,
    "How old a connection may get, a tenth more or less by chance, so that callers spread over replicas anew.",
  ),
  max_connection_age_grace: time(
    DEFAULTS.maxAgeGraceMs,
    "How long the calls of a connection that is too old may go on.",
  ),
  ping_burst: count(DEFAULTS.pingBurstCount, "PINGs that a caller may send at once while it gets no data."),
  pings_per_second: rate(DEFAULTS.pingsPerSecond, "And after that."),
  settings_burst: count(DEFAULTS.settingsBurstCount, "SETTINGS that a caller may send at once."),
  settings_per_second: rate(DEFAULTS.settingsPerSecond, "And after that."),
  reset_burst: count(
    DEFAULTS.resetBurstCount,
    "Calls that may be cancelled at once on one connection (rapid reset, CVE-2023-44487).",
  ),
  resets_per_second: rate(DEFAULTS.resetsPerSecond, "And after that."),
  address_reset_burst: count(
    DEFAULTS.addressResetBurstCount,
    "The same of all connections from one address together. Raise it behind a load balancer that hides addresses.",
  ),
  address_resets_per_second: rate(DEFAULTS.addressResetsPerSecond, "And after that."),
  max_concurrent_streams: count(DEFAULTS.maxStreamCount, "Calls at once on one HTTP/2 connection."),
  max_pipelined_requests: count(
    DEFAULTS.maxPipelinedCount,
    "Requests at once on one HTTP/1.1 connection that does not wait for answers.",
  ),
  min_body_bytes_per_second: count(
    DEFAULTS.minBodyBytesPerSecond,
    "The least that a request's body must bring, over each `body_window`.",
  ),
  body_window: time(DEFAULTS.bodyWindowMs, "Over which time that is measured."),
  max_request_memory: byteSize(
    { minBytes: 2 ** 20, maxBytes: 2 ** 40, defaultBytes: DEFAULTS.maxRequestMemoryBytes },
    {
      description:
        "What all requests under way may take together, decompressed. New ones are refused from three quarters on.",
    },
  ),
  write_stall_timeout: time(
    DEFAULTS.writeStallTimeoutMs,
    "How long an answer may wait for a reader who takes nothing of it.",
  ),
})
  .prefault({})
  .meta({
    description: "What connections may do before they are refused or ended. The defaults suit most servers.",
  });
