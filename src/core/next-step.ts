/** What follows a failed attempt. Pure. */

import type { FailureClass } from "../domain/outcome.ts";
import { FAILURE_POLICIES, type FallbackScope } from "./failure-policy.ts";

/** What the decision depends on. */
export interface StepFacts {
  readonly failureClass: FailureClass;
  /** After a delta was sent on there is nothing to decide. */
  readonly committed: boolean;
  readonly attemptCount: number;
  readonly maxAttempts: number;
  /** Retries already made at this deployment for this request. */
  readonly retryCount: number;
  readonly maxRetries: number;
  /** Whether the strategy in force names this class as one to retry. */
  readonly retryable: boolean;
  /** Whether another deployment could be tried at once. */
  readonly hasFallback: boolean;
  /** Whether the set wants the same deployment first (simple_retry). */
  readonly prefersSame: boolean;
  /** The jittered back-off before a retry. */
  readonly backoffMs: number;
  /** How long the provider asked to wait. */
  readonly retryAfterMs: number | undefined;
  /** Until the request's deadline. */
  readonly remainingMs: number;
  /** What a new attempt needs at least: the usual time to the first delta. */
  readonly expectedMs: number;
}

export type NextStep =
  | { readonly kind: "fall_back"; readonly scope: Exclude<FallbackScope, "nowhere"> }
  | { readonly kind: "retry"; readonly delayMs: number }
  | { readonly kind: "give_up" };

const GIVE_UP: NextStep = { kind: "give_up" };

/**
 * 1. Nothing follows a committed answer, the last allowed attempt, or a failure that
 *    no other attempt can better.
 * 2. Another deployment is better than the same one again, unless the set says otherwise.
 * 3. The same deployment again only for classes that the strategy names, while retries
 *    are left, after the back-off or the provider's own delay, and only when an answer
 *    can still begin before the deadline.
 * Whether the extra attempt is paid for is asked afterwards, of the budget.
 */
export function decideNextStep(facts: StepFacts): NextStep {
  const scope = FAILURE_POLICIES[facts.failureClass].fallback;
  if (facts.committed || facts.attemptCount >= facts.maxAttempts || scope === "nowhere") return GIVE_UP;
  const delayMs = Math.max(facts.backoffMs, facts.retryAfterMs ?? 0);
  const canRetry =
    facts.retryable && facts.retryCount < facts.maxRetries && delayMs + facts.expectedMs < facts.remainingMs;
  if (canRetry && (facts.prefersSame || !facts.hasFallback)) return { kind: "retry", delayMs };
  return facts.hasFallback ? { kind: "fall_back", scope } : GIVE_UP;
}
