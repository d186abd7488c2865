import { computeBackoffMs } from "../core/backoff.ts";
import { decideNextStep, type NextStep, type StepFacts } from "../core/next-step.ts";
import type { AttemptRecord } from "../domain/attempt.ts";
import type { FlightPlan } from "./attempt-flight.ts";
import type { RoutePlan } from "./route-plan.ts";
import type { RouterParts } from "./router-parts.ts";

/** What the walk itself knows of a failed attempt. */
type WalkFacts = Pick<
  StepFacts,
  "failureClass" | "attemptCount" | "retryCount" | "hasFallback" | "expectedMs"
>;

/** What follows a failed attempt before any delta, by the retry strategy of its provider and the rules of its target. */
export function findNextStep(
  { clock, random, evidence, options }: RouterParts,
  { live: { set }, maxAttempts, context }: RoutePlan,
  { deployment, tier }: FlightPlan,
  record: AttemptRecord,
  facts: WalkFacts,
): NextStep {
  const strategy = options.retryOf(deployment.provider);
  const backoffMs = computeBackoffMs(strategy, facts.retryCount + 1, random.next());
  const nowMs = clock.nowMs();
  const cooldownMs = evidence.view(deployment, nowMs).cooldownUntilMs - nowMs;
  const prefersSame = set.fallback === "same_deployment";
  return decideNextStep({
    ...facts,
    committed: false,
    maxAttempts,
    // A set that wants the same deployment again tries as often as it may try at all.
    maxRetries: prefersSame ? maxAttempts : (tier.settings.maxRetries ?? strategy.maxRetries),
    retryable: strategy.retryClasses.has(facts.failureClass),
    prefersSame,
    backoffMs: Math.max(backoffMs, cooldownMs, set.retryDelayMs),
    retryAfterMs: record.retryAfterMs,
    remainingMs: context.deadlineMs - nowMs,
  });
}
