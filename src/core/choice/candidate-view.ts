/** What the choice needs to know of a deployment at the moment of a decision. */

import type { Deployment, Model } from "../../domain/deployment.ts";

/** `ramping`: closed again, but not yet for its whole share. */
export type BreakerPhase = "closed" | "open" | "half_open" | "ramping";

/**
 * One candidate as the evidence shows it. Moments are of `Clock.nowMs`; one that is
 * not in the future means "not held". Where nothing was measured the evidence gives
 * the declared or usual figures: the choice knows no special case for a new deployment.
 */
export interface CandidateView {
  readonly deployment: Deployment;
  readonly model: Model;
  /** False where the operator disabled it or the caller may not use it. */
  readonly permitted: boolean;
  /** The mean of the success posterior, 0 to 1. */
  readonly successMean: number;
  /** Its standard deviation, 0 or more. */
  readonly successDeviation: number;
  /** The expected time to the first token of an empty prompt: e^(mu + s²/2) of the log-normal. */
  readonly ttftMeanMs: number;
  /** The s of that log-normal, 0 or more. */
  readonly ttftLogDeviation: number;
  /** The expected time per output token after the first. */
  readonly tpotMs: number;
  /** Attempts in flight, of the whole fleet as far as it is known. */
  readonly inFlightCount: number;
  /** What is left of the quota, 0 to 1; 1 where there is none. */
  readonly headroomRatio: number;
  /** Until the provider's Retry-After has passed. */
  readonly cooldownUntilMs: number;
  /** Until a credential that was refused is tried again; Infinity until the operator acts. */
  readonly credentialDisabledUntilMs: number;
  /** Whether that is for want of credit, and not because the key was refused. */
  readonly isUsedUp?: boolean;
  /** Until our own pause ends, for example between two probes. */
  readonly heldUntilMs: number;
  readonly breaker: BreakerPhase;
  /** When an open breaker goes half-open. */
  readonly openUntilMs: number;
  /** Whether one more probe (half-open, or forced while open) or verification (suspect) may start. */
  readonly permitAvailable: boolean;
  /** The admitted part of its share while ramping, 0 to 1. */
  readonly rampRatio: number;
  /** Tokens of the model for each estimated one of a prompt; 1 where nothing was counted. */
  readonly promptTokenRatio: number;
  /** Whether only other replicas' evidence speaks against it. */
  readonly suspect: boolean;
  /** Since the last sample of any kind; Infinity where there is none. */
  readonly lastSampleAgeMs: number;
}
