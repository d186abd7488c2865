import type { ServerOptions } from "node:http2";
import type { ServerLimits } from "../../config/server-limits.ts";

/** The window of a whole connection; Node leaves it at 65,535 whatever the streams' windows are. */
export const CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024;

/** HTTP/2 limits, each stated: Node's defaults are meant for browsers, or have no limit at all. */
export function stateHttp2Options(maxHeaderBytes: number, limits: ServerLimits): ServerOptions {
  return {
    settings: {
      headerTableSize: 4_096,
      enablePush: false,
      initialWindowSize: 1024 * 1024,
      maxFrameSize: 16_384,
      // Node's own default has no limit.
      maxConcurrentStreams: limits.maxStreamCount,
      // Beyond this Node resets the stream. Twice the limit, so that up to there the edge can answer 431.
      maxHeaderListSize: 2 * maxHeaderBytes,
      enableConnectProtocol: false,
    },
    maxDeflateDynamicTableSize: 4_096,
    maxHeaderListPairs: 128,
    maxOutstandingPings: 10,
    maxSettings: 32,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    // Megabytes; the default of 10 is too little for hundreds of streams with requests of some size.
    maxSessionMemory: 64,
    // A caller that cancels much would lose its whole connection at Node's 1,000 and 33 per second.
    streamResetBurst: limits.resetBurstCount,
    streamResetRate: limits.resetsPerSecond,
    unknownProtocolTimeout: limits.firstBytesTimeoutMs,
  };
}
