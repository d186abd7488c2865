import type { Deployment } from "../domain/deployment.ts";
import type { LiveSet } from "../policies/candidates/candidate-source.ts";
import type { DecisionFacts } from "./decider.ts";
import type { RouterParts } from "./router-parts.ts";
import type { Chosen } from "./wait-for-place.ts";

/** The share of attempts that begin to answer before a hedge is sent. */
const HEDGE_QUANTILE = 0.95;
/** A deployment with less of its limits left is not hedged to. */
const HEDGE_MIN_HEADROOM_RATIO = 0.2;

/**
 * How long to wait for a first delta before another deployment is asked beside the
 * first; undefined when that is not to be done: hedges are off, cost comes first, the
 * target wants its own order, or the time does not allow it.
 */
export function findHedgeDelayMs(
  { options, evidence, clock }: RouterParts,
  { demands, live, deadlineMs }: DecisionFacts,
  first: Deployment,
): number | undefined {
  if (!options.hedging.enabled || demands.priority === "cost" || live.set.fallback !== "spill")
    return undefined;
  const usualMs = evidence.firstTokenQuantileMs(first, HEDGE_QUANTILE, demands.promptTokens);
  const delayMs = Math.max(options.hedging.minDelayMs, usualMs);
  return clock.nowMs() + delayMs < deadlineMs ? delayMs : undefined;
}

/** Whether a hedge may go to the chosen one: nothing had to be given up for it, and it has room to spare. */
export function mayHedgeTo(
  { deployments }: RouterParts,
  { limits }: LiveSet,
  { view, tierIndex, relaxed }: Chosen,
): boolean {
  if (relaxed !== undefined || view.breaker !== "closed") return false;
  if (view.headroomRatio < HEDGE_MIN_HEADROOM_RATIO) return false;
  return deployments.entry(view.deployment).limit.hasRoom && limits[tierIndex]?.admits !== false;
}
