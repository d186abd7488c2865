/** How good a candidate is for a request. Pure; a score allocates nothing. */

import type { Random } from "../../domain/ports.ts";
import type { CandidateView } from "./candidate-view.ts";
import type { ChoiceSettings } from "./choice-settings.ts";
import { type Demands, findFreeTokens } from "./demands.ts";
import { expectTotalMs, guessCostNanoUsd } from "./expectation.ts";
import { DEFAULT_QUALITY, type QualityColumn } from "./quality-table.ts";

/** What scores of one decision have in common. */
export interface ScoreContext {
  readonly demands: Demands;
  readonly settings: ChoiceSettings;
  /** Quality by model, for the request's task. */
  readonly quality: QualityColumn;
  /** The provider that failed last in this request. */
  readonly failedProvider: string | undefined;
}

/** The value of the answer, 0 to the sum of the weights: quality, speed and cheapness by the priority's weights. */
export function computeValue(
  view: CandidateView,
  { demands, settings, quality }: Pick<ScoreContext, "demands" | "settings" | "quality">,
  waitMs = 0,
): number {
  const weights = settings.weights[demands.priority];
  return (
    weights.quality * (quality.get(view.model.name) ?? DEFAULT_QUALITY) +
    weights.speed * computeSpeedValue(view, demands, settings, waitMs) +
    weights.cost * computeCostValue(view, demands, settings)
  );
}

/** 1 / (1 + (T / reference)²), where the reference is the caller's latency limit if it gave one. */
export function computeSpeedValue(
  view: CandidateView,
  demands: Demands,
  settings: ChoiceSettings,
  waitMs = 0,
): number {
  const referenceMs =
    demands.limits.maxLatencyMs ??
    settings.referenceLatencyMs + settings.referenceMsPerToken * demands.expectedOutputTokens;
  const ratio = (waitMs + expectTotalMs(view, demands, settings)) / Math.max(referenceMs, 1);
  return 1 / (1 + ratio * ratio);
}

/** 1 / (1 + cost / reference). */
export function computeCostValue(view: CandidateView, demands: Demands, settings: ChoiceSettings): number {
  return 1 / (1 + guessCostNanoUsd(view, demands, settings) / settings.referenceCostNanoUsd);
}

/**
 * What the score loses to load, 0 or more. A quota has a price that rises as it
 * empties, so that it settles where as many take it as it refills for, and those take it
 * to whom it is worth most (bid prices, as in revenue management). Places cost when
 * few are free, and for every attempt that would wait before this one, so that a free
 * model with few places does not win for ever.
 */
export function computeCrowding(view: CandidateView, settings: ChoiceSettings): number {
  const limit = view.deployment.concurrencyLimit;
  let lack = 1 - view.headroomRatio;
  let waitingRatio = 0;
  if (limit !== undefined) {
    const places = Math.max(limit, 1);
    const freeRatio = Math.max(1 - view.inFlightCount / places, 0);
    lack = Math.max(lack, 1 - freeRatio / settings.softPlaceRatio);
    waitingRatio = Math.min(Math.max((view.inFlightCount + 1 - places) / places, 0), MAX_WAITING_RATIO);
  }
  return settings.crowdingWeight * (Math.max(lack, 0) + waitingRatio);
}

/** More waiting attempts than this many times the places change nothing: the candidate is hopeless. */
const MAX_WAITING_RATIO = 10;

/** What the score loses when the asked output length must be cut to fit the window. */
export function computeClipLoss(view: CandidateView, demands: Demands, settings: ChoiceSettings): number {
  const askedTokens = demands.maxOutputTokens;
  if (askedTokens === undefined) return 0;
  const freeTokens = findFreeTokens(demands, view);
  return freeTokens >= askedTokens ? 0 : settings.clipPenalty * (1 - Math.max(freeTokens, 0) / askedTokens);
}

/** u = P·V − (1 − P)·failure penalty − crowding − clip − same provider after its failure. */
export function computeUtility(view: CandidateView, successRatio: number, context: ScoreContext): number {
  const { demands, settings, failedProvider } = context;
  const penalty = failedProvider === view.deployment.provider ? settings.sameProviderPenalty : 0;
  return (
    successRatio * computeValue(view, context) -
    (1 - successRatio) * settings.failurePenalty -
    computeCrowding(view, settings) -
    computeClipLoss(view, demands, settings) -
    penalty
  );
}

/** Draws a success ratio: the posterior's mean with a part of its deviation; 0 to 1. */
export function drawSuccessRatio(view: CandidateView, settings: ChoiceSettings, random: Random): number {
  // Three uniforms make a bell of deviation ½ and bounded tails; no logarithm is needed for a tie-breaker.
  const bell = 2 * (random.next() + random.next() + random.next() - 1.5);
  const drawn = view.successMean + settings.deviationFactor * view.successDeviation * bell;
  return drawn < 0 ? 0 : drawn > 1 ? 1 : drawn;
}
