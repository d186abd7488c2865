/** The words of the breaker and of the rules that decide for it. */

import type { HealthVerdict } from "../../core/failure-policy.ts";

/** How an attempt ended, as the breaker sees it. `limited`: the provider refused it for its rate. */
export type BreakerVerdict = HealthVerdict | "limited";

/** What is known beside the verdict. */
export interface BreakerFacts {
  /** How long the provider asked us to wait: no attempt is let through before. At most an hour counts. */
  readonly retryAfterMs?: number;
  /** Whether the deployment did not answer at all, rather than with an error. */
  readonly hung?: boolean;
  /** The share of attempts that failed in the evidence that opens it, 0 to 1; all of them where it is not told. */
  readonly failureRatio?: number;
}

/** Opens at consecutive failures, for a fixed time: the seeds' breaker. */
export interface CountingBreakerOptions {
  readonly kind?: "counting";
  /** Consecutive failures that open it, 1 or more. */
  readonly failureThreshold: number;
  /** How long it stays open before attempts may probe. */
  readonly recoveryTimeMs: number;
  /** Attempts let through at once while half-open, 1 or more; 1 unless given. */
  readonly halfOpenRequests?: number;
  /** See `AdaptiveBreakerOptions.maxPermitAgeMs`. */
  readonly maxPermitAgeMs?: number;
}

/** Opens by the evidence it is told, for a time that grows. */
export interface AdaptiveBreakerOptions {
  readonly kind: "adaptive";
  /** Attempts let through at once while half-open, 1 or more; 1 unless given. */
  readonly halfOpenRequests?: number;
  /** A probe that has not settled after this long gives its slot back; 2 min unless given. */
  readonly maxPermitAgeMs?: number;
}

export type BreakerOptions = CountingBreakerOptions | AdaptiveBreakerOptions;

/** Decides for a breaker: when it opens, for how long, what closes it. Holds no timer. */
export interface BreakerRule {
  /** Attempts let through at once while half-open. */
  readonly probeSlotCount: number;
  /** Whether this many failures in a row, seen while closed, open it. */
  tripsOnFailures(consecutiveFailureCount: number): boolean;
  /** Whether a trip statistic, seen while closed, opens it. `coupled`: its provider's other deployments have tripped. */
  tripsOnEvidence(tripStatistic: number, coupled: boolean, nowMs: number): boolean;
  /** Notes that it opens, and says for how long. `wasClosed`: not from half-open. */
  open(wasClosed: boolean, facts: BreakerFacts, nowMs: number): number;
  /** Another replica, which probed in vain, waits for so long; this breaker is not closed. */
  followOpenTime(openMs: number): void;
  /** Notes that it closes. */
  close(nowMs: number): void;
  /** Good probes in a row that close it. */
  requiredSuccessCount(nowMs: number): number;
  /** The share of its traffic that a closed breaker should get: above 0, up to 1. */
  admittedRatio(nowMs: number): number;
  /** Forgets what happened. */
  reset(): void;
}
