import type { ServerOptions } from "node:http2";

/** The window of a whole connection; Node leaves it at 65,535 whatever the streams' windows are. */
export const CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024;

/** HTTP/2 limits, each stated: Node's defaults are meant for browsers, or have no limit at all. */
export function stateHttp2Options(maxHeaderBytes: number): ServerOptions {
  return {
    settings: {
      headerTableSize: 4_096,
      enablePush: false,
      initialWindowSize: 1024 * 1024,
      maxFrameSize: 16_384,
      // Node's own default has no limit.
      maxConcurrentStreams: 512,
      // Beyond this Node resets the stream. Twice the limit, so that up to there the edge can answer 431.
      maxHeaderListSize: 2 * maxHeaderBytes,
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
    streamResetBurst: 2_000,
    streamResetRate: 200,
    unknownProtocolTimeout: 10_000,
  };
}
