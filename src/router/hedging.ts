/** When a second attempt is made beside a first one that is late, and where. */

import type { FallbackScope } from "../core/failure-policy.ts";
import type { LiveSet } from "../policies/candidates/candidate-source.ts";
import type { DecisionFacts } from "./decider.ts";
import type { RouterParts } from "./router-parts.ts";
import type { Chosen } from "./wait-for-place.ts";

/**
 * The share of attempts that begin to answer before a hedge is sent. What is merely later than 95 % begins on average
 * after half a usual time more, and a new attempt takes a whole one; from here on most of those that are late hang.
 */
const HEDGE_QUANTILE = 0.99;
/** One on trial is hedged when half would have begun, but not before this: merely not quick is not failed. */
const TRIAL_HEDGE_QUANTILE = 0.5;
const TRIAL_MIN_DELAY_MS = 1_500;
/** A deployment with less of its limits left is not hedged to. */
const HEDGE_MIN_HEADROOM_RATIO = 0.2;

/**
 * How long to wait for a first delta before another deployment is asked beside the
 * first; undefined when that is not to be done: hedges are off, cost comes first, the
 * target wants its own order, or the time does not allow it. Never later than its
 * silence speaks against the deployment. An attempt that probes a breaker or
 * verifies a suspicion is hedged whatever comes first, because it does that for the
 * requests to come.
 */
export function findHedgeDelayMs(
  { options, evidence, clock }: RouterParts,
  { demands, live, deadlineMs }: DecisionFacts,
  { view, reason }: Chosen,
): number | undefined {
  if (!options.hedging.enabled || live.set.fallback !== "spill") return undefined;
  const onTrial = reason === "probe" || reason === "forced_probe" || view.suspect;
  if (demands.priority === "cost" && !onTrial) return undefined;
  const { promptTokens } = demands;
  const quantile = onTrial ? TRIAL_HEDGE_QUANTILE : HEDGE_QUANTILE;
  const usualMs = evidence.firstTokenQuantileMs(view.deployment, quantile, promptTokens);
  const lateMs = Math.min(usualMs, evidence.suspectAgeMs(view.deployment, promptTokens));
  const delayMs = Math.max(options.hedging.minDelayMs, lateMs, onTrial ? TRIAL_MIN_DELAY_MS : 0);
  return clock.nowMs() + delayMs < deadlineMs ? delayMs : undefined;
}

/**
 * Who is asked beside the late one: by preference another provider, because what
 * silences one deployment often silences its provider's others. Nobody whose limits
 * are short, who is on trial, or for whom a rule would have to be given up.
 */
export function chooseHedge(
  facts: DecisionFacts,
  look: (facts: DecisionFacts, scope: FallbackScope) => Chosen | undefined,
): Chosen | undefined {
  const settings = { ...facts.settings, hardHeadroomRatio: HEDGE_MIN_HEADROOM_RATIO };
  const strict = { ...facts, settings };
  const decision = look(strict, "other_provider") ?? look(strict, "any");
  return decision?.relaxed === undefined && decision?.view.breaker === "closed" ? decision : undefined;
}

/** Whether the chosen one and its tier have a place to spare. */
export function mayHedgeTo(
  { deployments }: RouterParts,
  { limits }: LiveSet,
  { view, tierIndex }: Chosen,
): boolean {
  return deployments.entry(view.deployment).limit.hasRoom && limits[tierIndex]?.admits !== false;
}
