/** Where a request goes after an attempt failed. Pure. */

import type { AttemptRecord } from "../domain/attempt.ts";
import type { Deployment, Model } from "../domain/deployment.ts";
import type { FailureClass } from "../domain/outcome.ts";
import { FAILURE_POLICIES } from "./failure-policy.ts";

/**
 * The candidates that may still be tried after `failed` of class `failureClass`:
 * never one that was tried before, and only those that could do better. Empty
 * means that no other attempt can help.
 */
export function findNextCandidates(
  candidates: readonly Deployment[],
  attempts: readonly AttemptRecord[],
  failed: Deployment,
  failureClass: FailureClass,
  modelOf: (deployment: Deployment) => Model,
): readonly Deployment[] {
  const tried = new Set(attempts.map((attempt) => attempt.deployment.id));
  const fresh = candidates.filter((candidate) => !tried.has(candidate.id));
  switch (FAILURE_POLICIES[failureClass].fallback) {
    case "any":
      return fresh;
    case "other_provider":
      return fresh.filter((candidate) => candidate.provider !== failed.provider);
    case "larger_context": {
      const windowTokens = modelOf(failed).capabilities.contextWindowTokens;
      return fresh.filter((candidate) => modelOf(candidate).capabilities.contextWindowTokens > windowTokens);
    }
    case "nowhere":
      return [];
  }
}

/**
 * How long an attempt may wait for its first delta: the configured limit, or an
 * equal share of the caller's remaining time among the attempts still possible,
 * whichever is less. So a deployment that hangs leaves time for another.
 */
export function limitFirstTokenMs(
  configuredMs: number,
  remainingMs: number,
  possibleAttemptCount: number,
): number {
  return Math.min(configuredMs, remainingMs / Math.max(possibleAttemptCount, 1));
}
