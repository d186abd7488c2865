import type { Deployment } from "../domain/deployment.ts";
import type { DecisionFacts } from "./decider.ts";
import type { RouterParts } from "./router-parts.ts";

/** The share of attempts that begin to answer before a hedge is sent. */
const HEDGE_QUANTILE = 0.95;

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
