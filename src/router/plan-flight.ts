import type { AttemptPurpose } from "../domain/attempt.ts";
import type { BreakerPermit } from "../policies/breaker.ts";
import type { FlightPlan } from "./attempt-flight.ts";
import { limitAttempt, prepareRequest } from "./attempt-settings.ts";
import type { DecisionFacts } from "./decider.ts";
import type { RoutePlan } from "./route-plan.ts";
import type { RouterParts } from "./router-parts.ts";
import type { Chosen } from "./wait-for-place.ts";

/** One attempt of a route, as far as the walk has decided it. */
export interface WantedAttempt {
  readonly attemptNumber: number;
  readonly purpose: AttemptPurpose;
  readonly decision: Chosen;
  readonly permit: BreakerPermit;
  /** Ids of all deployments that were tried, this one included. */
  readonly tried: ReadonlySet<string>;
}

/** What an attempt does: the request as its deployment can carry it, within the time that is left for it. */
export function planFlight(
  { clock, options }: RouterParts,
  { live, request, context, maxAttempts }: RoutePlan,
  facts: DecisionFacts,
  { attemptNumber, purpose, decision, permit, tried }: WantedAttempt,
): FlightPlan {
  const { tier, tierIndex, view } = decision;
  const untriedCount = live.set.tiers
    .flatMap(({ deployments }) => deployments)
    .filter(({ id }) => !tried.has(id)).length;
  return {
    ...prepareRequest(request, decision, facts),
    attemptNumber,
    purpose,
    deployment: view.deployment,
    tier,
    tierIndex,
    live,
    permit,
    demands: facts.demands,
    limits: limitAttempt(
      options.timeouts,
      tier.settings,
      context.deadlineMs - clock.nowMs(),
      Math.min(maxAttempts - attemptNumber, untriedCount) + 1,
    ),
    requestId: context.requestId,
    traceparent: context.traceparent,
  };
}
