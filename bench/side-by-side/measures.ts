/** What is measured, and with which load. */

/** How the mock upstream answers; see bench/native/mock-upstream.c. */
export interface UpstreamBehaviour {
  readonly tokenCount: number;
  /** Between two writes. */
  readonly gapUs: number;
  readonly tokensPerWrite: number;
}

/** One load that every contestant gets. */
export interface Measure {
  readonly name: string;
  readonly title: string;
  readonly stream: boolean;
  readonly upstream: UpstreamBehaviour;
  /** Requests in flight; in an open loop, the most there may be. */
  readonly inFlightCount: number;
  /** HTTP/2 connections the requests are spread over. With HTTP/1.1 each request has its own. */
  readonly http2ConnectionCount: number;
  /** Requests per second of an open loop; 0 for a closed loop. */
  readonly requestsPerSecond: number;
  /** Over how long a closed loop starts its first requests. */
  readonly rampMs: number;
  /** Load before the measured part, so that the code is compiled. */
  readonly warmMs: number;
  readonly measureMs: number;
}

const UNARY: UpstreamBehaviour = { tokenCount: 8, gapUs: 0, tokensPerWrite: 8 };
const BURST: UpstreamBehaviour = { tokenCount: 100, gapUs: 0, tokensPerWrite: 100 };
const PACED: UpstreamBehaviour = { tokenCount: 100, gapUs: 20_000, tokensPerWrite: 1 };
/** One stream lasts 2 s, so starts spread over 2 s never march in step. */
const PACED_RAMP_MS = 2_000;

function pacedMeasure(streamCount: number): Measure {
  return {
    name: `paced${streamCount}`,
    title: `${streamCount.toLocaleString("en")} paced streams of 50 tokens/s`,
    stream: true,
    upstream: PACED,
    inFlightCount: streamCount,
    http2ConnectionCount: 20,
    requestsPerSecond: 0,
    rampMs: PACED_RAMP_MS,
    warmMs: 4_000,
    measureMs: 5_000,
  };
}

const FULL: readonly Measure[] = [
  {
    name: "unary",
    title: "Unary, 32 in flight, saturated",
    stream: false,
    upstream: UNARY,
    inFlightCount: 32,
    http2ConnectionCount: 4,
    requestsPerSecond: 0,
    rampMs: 0,
    warmMs: 2_500,
    measureMs: 3_000,
  },
  {
    name: "latency",
    title: "Unary, 200 requests/s, open loop",
    stream: false,
    upstream: UNARY,
    inFlightCount: 64,
    http2ConnectionCount: 4,
    requestsPerSecond: 200,
    rampMs: 0,
    warmMs: 2_500,
    measureMs: 5_000,
  },
  {
    name: "stream",
    title: "Streams of 100 tokens at once, 16 in flight, saturated",
    stream: true,
    upstream: BURST,
    inFlightCount: 16,
    http2ConnectionCount: 4,
    requestsPerSecond: 0,
    rampMs: 0,
    warmMs: 2_500,
    measureMs: 3_000,
  },
  pacedMeasure(500),
  pacedMeasure(1000),
];

/** Tokens per second that a measure's upstream offers when the gateway keeps up; only for paced ones. */
export function offeredTokensPerSecond(measure: Measure): number {
  return measure.inFlightCount * (1_000_000 / measure.upstream.gapUs);
}

/** The model name that makes the mock upstream behave so. */
export function modelName(upstream: UpstreamBehaviour): string {
  return `mock-d0-n${upstream.tokenCount}-i${upstream.gapUs}-b${upstream.tokensPerWrite}`;
}

/** All measures; the quick ones are the same loads for a shorter time, too short to judge by. */
export function listMeasures(quick: boolean): readonly Measure[] {
  if (!quick) return FULL;
  return FULL.map((measure) => ({
    ...measure,
    warmMs: measure.rampMs > 0 ? measure.rampMs + 200 : 700,
    measureMs: measure.requestsPerSecond > 0 ? 1_500 : 1_000,
  }));
}

/** The start-up measure has no load; its name stands beside the others in `--only`. */
export const STARTUP = "startup";
