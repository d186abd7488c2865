/** What an attempt at a candidate is expected to take and to cost. Pure; no allocation. */

import { findBand } from "../cost.ts";
import type { CandidateView } from "./candidate-view.ts";
import type { ChoiceSettings } from "./choice-settings.ts";
import type { Demands } from "./demands.ts";

/** The expected time to the first token: for the prompt's length and the attempts in flight. */
export function expectFirstTokenMs(view: CandidateView, demands: Demands, settings: ChoiceSettings): number {
  return view.ttftMeanMs * loadOf(view) + settings.promptMsPerToken * demands.promptTokens;
}

/** The expected time of the whole answer. */
export function expectTotalMs(view: CandidateView, demands: Demands, settings: ChoiceSettings): number {
  return expectFirstTokenMs(view, demands, settings) + view.tpotMs * demands.expectedOutputTokens;
}

/** The time that half of the answers are expected to keep: P(T ≤ limit) ≥ ½ exactly when this is ≤ the limit. */
export function expectMedianMs(view: CandidateView, demands: Demands, settings: ChoiceSettings): number {
  // The median of a log-normal is its mean without the factor e^(s²/2).
  const spread = Math.exp((view.ttftLogDeviation * view.ttftLogDeviation) / 2);
  const fixedMs =
    settings.promptMsPerToken * demands.promptTokens + view.tpotMs * demands.expectedOutputTokens;
  return (view.ttftMeanMs / spread) * loadOf(view) + fixedMs;
}

/**
 * The expected cost in nano-USD; undefined without a price in US dollars: unknown is not free.
 * A deployment that is billed in another currency is compared by its model's price in US dollars.
 */
export function expectCostNanoUsd(view: Priced, demands: Demands): number | undefined {
  const { deployment, model } = view;
  const { expectedOutputTokens } = demands;
  const promptTokens = demands.promptTokens * view.promptTokenRatio;
  if (deployment.price?.currency === "USD") {
    const band = findBand(deployment.price, promptTokens, expectedOutputTokens);
    if (band === undefined) return undefined;
    return (promptTokens * band.inputNano + expectedOutputTokens * band.outputNano) / TOKENS_PER_PRICE;
  }
  const { price } = model;
  if (price === undefined) return undefined;
  return (promptTokens * price.inputNanoUsd + expectedOutputTokens * price.outputNanoUsd) / TOKENS_PER_PRICE;
}

const TOKENS_PER_PRICE = 1_000_000;

/** What has a price. */
export type Priced = Pick<CandidateView, "deployment" | "model" | "promptTokenRatio">;

/** What a model of a cost tier costs, in reference costs; its price being unknown. */
const COST_OF_TIER = [0.1, 0.1, 0.3, 1, 3, 10] as const;

/** The expected cost for comparing candidates: where there is no price, a guess from the catalog's tier. */
export function guessCostNanoUsd(view: Priced, demands: Demands, settings: ChoiceSettings): number {
  const known = expectCostNanoUsd(view, demands);
  if (known !== undefined) return known;
  const tier = Math.min(Math.max(Math.round(view.model.tiers.cost), 1), 5);
  return (COST_OF_TIER[tier] ?? 1) * settings.referenceCostNanoUsd;
}

/** Attempts above the concurrency limit wait for the others; the wait grows with the square (routing.md 4.3). */
function loadOf(view: CandidateView): number {
  const limit = view.deployment.concurrencyLimit;
  if (limit === undefined) return 1;
  const ratio = (view.inFlightCount + 1) / Math.max(limit, 1);
  return ratio > 1 ? ratio * ratio : 1;
}
