import type { BreakerState } from "../../domain/metrics.ts";

/** What a replica says of its circuit breaker for a deployment. */
export interface PeerBreaker {
  readonly state: BreakerState;
  /** How often it has opened, failed probes included. */
  readonly epoch: number;
  /** The sender's Clock when it closed last; what was counted before is void. 0 when it never did. */
  readonly closedMs: number;
  /** How long until the sender may probe; 0 unless open. */
  readonly probeDelayMs: number;
}

/** The longest time to a probe that is believed, so none longer is told. */
export const MAX_PROBE_DELAY_MS = 3_600_000;

/** What is wrong with it, naming the field, or undefined. `sentMs`: the sender's Clock at sending. */
export function findBreakerProblem(breaker: PeerBreaker, sentMs: number): string | undefined {
  const { epoch, closedMs, probeDelayMs } = breaker;
  if (!(Number.isSafeInteger(epoch) && epoch >= 0)) return "epoch: must be a whole number, 0 or more";
  if (!(closedMs >= 0 && closedMs <= sentMs)) return "closedMs: must be from 0 to the time of sending";
  if (!(probeDelayMs >= 0 && probeDelayMs <= MAX_PROBE_DELAY_MS)) {
    return `probeDelayMs: must be from 0 to ${MAX_PROBE_DELAY_MS}`;
  }
  return undefined;
}
