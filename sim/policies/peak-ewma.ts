import { FailureAccrual } from "./failure-accrual.ts";
import { pickOfTwo } from "./pick.ts";
import type { CallReport, PolicyFactory } from "./policy.ts";

/** Finagle's and Linkerd's figures. */
export interface PeakEwmaOptions {
  readonly decayMs: number;
  /** What a failure is recorded as at least; undefined records its own time, as Finagle does. */
  readonly penaltyMs: number | undefined;
  /** The cost before anything is known; undefined punishes the unknown while it is busy, as Finagle does. */
  readonly seedMs: number | undefined;
  /** Whether Finagle's failure accrual stands before the balancer, as it does by default. */
  readonly accrual: boolean;
}

export const FINAGLE: PeakEwmaOptions = {
  decayMs: 10_000,
  penaltyMs: undefined,
  seedMs: undefined,
  accrual: false,
};
export const LINKERD: PeakEwmaOptions = { decayMs: 10_000, penaltyMs: 5_000, seedMs: 1_000, accrual: false };

const UNKNOWN_BUSY_COST = 1e9;
const MAX_HINT_MS = 300_000;

/**
 * Peak EWMA with two random choices: the cost is a decaying mean of the time to the answer
 * that a larger sample replaces at once; the load is cost × (in flight + 1). Linkerd's
 * variant looks at the first token's time and records failures as a penalty or Retry-After,
 * never below the present cost.
 */
export function peakEwmaPolicy({ decayMs, penaltyMs, seedMs, accrual }: PeakEwmaOptions): PolicyFactory {
  return ({ nowMs, random, endpoints }) => {
    const costs = endpoints.map(() => seedMs ?? 0);
    const stampsMs = endpoints.map(() => 0);
    const inFlight = endpoints.map(() => 0);
    const dead = accrual ? new FailureAccrual(nowMs, random) : undefined;
    const observe = (endpoint: number, sampleMs: number) => {
      const cost = costs[endpoint] ?? 0;
      const weight = Math.exp(-Math.max(nowMs() - (stampsMs[endpoint] ?? 0), 0) / decayMs);
      costs[endpoint] = sampleMs > cost ? sampleMs : cost * weight + sampleMs * (1 - weight);
      stampsMs[endpoint] = nowMs();
    };
    const loadOf = (endpoint: number) => {
      observe(endpoint, 0);
      const cost = costs[endpoint] ?? 0;
      const busy = inFlight[endpoint] ?? 0;
      if (cost === 0 && busy > 0) return UNKNOWN_BUSY_COST + busy;
      return cost * (busy + 1);
    };
    const sampleOf = ({ endpoint, outcome, totalMs, firstTokenMs, retryAfterMs }: CallReport) => {
      if (penaltyMs === undefined) return totalMs;
      if (firstTokenMs !== undefined) return undefined;
      if (outcome === "ok") return totalMs;
      const hintMs = Math.min(retryAfterMs ?? 0, MAX_HINT_MS);
      return Math.max(penaltyMs, hintMs, costs[endpoint] ?? 0);
    };
    return {
      choose: (_request, untried) => pickOfTwo(dead?.admit(untried) ?? untried, loadOf, random),
      onStart(endpoint) {
        inFlight[endpoint] = (inFlight[endpoint] ?? 0) + 1;
        dead?.noteStart(endpoint);
      },
      onFirstToken(endpoint, firstTokenMs) {
        if (penaltyMs !== undefined) observe(endpoint, firstTokenMs);
      },
      onEnd(report) {
        inFlight[report.endpoint] = (inFlight[report.endpoint] ?? 0) - 1;
        const sampleMs = sampleOf(report);
        if (sampleMs !== undefined) observe(report.endpoint, sampleMs);
        dead?.noteEnd(report);
      },
    };
  };
}
