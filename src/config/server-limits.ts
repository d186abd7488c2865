/**
 * What the edge allows one connection, one address and all callers together. Lengths of time
 * are in milliseconds. The limits of a request itself are in `ServerConfig`.
 */
export interface ServerLimits {
  /** Open connections in total: file descriptors are finite. */
  readonly maxConnectionCount: number;
  /** Open connections from one address; of IPv6, from one /64, which is what one customer gets. */
  readonly maxConnectionsPerAddressCount: number;
  /** How long a new connection may stay silent, and how long its TLS handshake may take. */
  readonly firstBytesTimeoutMs: number;
  /** How long the rest of the HTTP/2 preface, or the headers of an HTTP/1.1 request, may take. */
  readonly headersTimeoutMs: number;
  /** How often each HTTP/2 connection is asked for a sign of life. The first time after `headersTimeoutMs`. */
  readonly keepAliveIntervalMs: number;
  /** How long the sign of life may take. A peer in the middle of a header block cannot give one. */
  readonly keepAliveTimeoutMs: number;
  /** How long an HTTP/2 connection may stay without a call. */
  readonly idleTimeoutMs: number;
  /** The same of HTTP/1.1. Longer than usual load balancers (60 s), so that it is they who close. */
  readonly http1IdleTimeoutMs: number;
  /** How old a connection may get, a tenth more or less by chance: callers spread over replicas anew (gRFC A9). */
  readonly maxAgeMs: number;
  /** How long the calls of a connection that is too old may go on. */
  readonly maxAgeGraceMs: number;
  /** PINGs of a caller while nothing is sent to it (gRFC A8): this many at once … */
  readonly pingBurstCount: number;
  /** … and this many per second. */
  readonly pingsPerSecond: number;
  /** SETTINGS of a caller: this many at once … */
  readonly settingsBurstCount: number;
  /** … and this many per second. */
  readonly settingsPerSecond: number;
  /** Streams that a caller cancels on one connection: this many at once … */
  readonly resetBurstCount: number;
  /** … and this many per second. */
  readonly resetsPerSecond: number;
  /** The same of all connections from one address together: this many at once … */
  readonly addressResetBurstCount: number;
  /** … and this many per second. */
  readonly addressResetsPerSecond: number;
  /** Calls at once on one HTTP/2 connection. */
  readonly maxStreamCount: number;
  /** Requests at once on one HTTP/1.1 connection that does not wait for answers. */
  readonly maxPipelinedCount: number;
  /** The least that a request's body must bring, measured over each `bodyWindowMs`. */
  readonly minBodyBytesPerSecond: number;
  readonly bodyWindowMs: number;
  /** All requests under way together, inflated; a fixed amount for each call counts too. */
  readonly maxRequestMemoryBytes: number;
  /** How long an answer may wait for its reader without any of it being taken. */
  readonly writeStallTimeoutMs: number;
}

const MINUTE_MS = 60_000;

/** The limits where nobody says otherwise. */
export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  maxConnectionCount: 10_000,
  maxConnectionsPerAddressCount: 1_000,
  firstBytesTimeoutMs: 10_000,
  headersTimeoutMs: 10_000,
  keepAliveIntervalMs: MINUTE_MS,
  keepAliveTimeoutMs: 20_000,
  idleTimeoutMs: 10 * MINUTE_MS,
  http1IdleTimeoutMs: 65_000,
  maxAgeMs: 30 * MINUTE_MS,
  maxAgeGraceMs: 60 * MINUTE_MS,
  pingBurstCount: 60,
  pingsPerSecond: 1,
  settingsBurstCount: 20,
  settingsPerSecond: 0.1,
  // Callers that hedge cancel much.
  resetBurstCount: 2_000,
  resetsPerSecond: 200,
  addressResetBurstCount: 20_000,
  addressResetsPerSecond: 2_000,
  maxStreamCount: 512,
  maxPipelinedCount: 32,
  minBodyBytesPerSecond: 512,
  bodyWindowMs: 10_000,
  maxRequestMemoryBytes: 256 * 1024 * 1024,
  writeStallTimeoutMs: 30_000,
};
