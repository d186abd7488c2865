/** The router's own choice within a tier, by score. */

import type { Random } from "../../domain/ports.ts";
import type { CandidateTier } from "../candidate-set.ts";
import type { CandidateView } from "./candidate-view.ts";
import type { ChoiceInput } from "./choice-input.ts";
import { guessCostNanoUsd } from "./expectation.ts";
import type { Scratch } from "./scratch.ts";
import { computeUtility, drawSuccessRatio, type ScoreContext } from "./utility.ts";

/**
 * Picks one of the usable candidates in `scratch`, at least one, and answers its place;
 * the reason is left in `scratch.reason`:
 * 1. everyone is scored with a drawn success ratio;
 * 2. a half-open candidate that is not much worse than the best becomes the probe;
 * 3. now and then a candidate that was not measured for long is taken, if it is not much worse;
 * 4. else two of the nearly best at random, and of them the one with more headroom per attempt in flight.
 */
export function pickAdaptive(
  input: ChoiceInput,
  context: ScoreContext,
  tier: CandidateTier,
  scratch: Scratch,
): number {
  const bestPlace = scoreUsable(input, context, scratch);
  const best = scratch.usable[bestPlace];
  if (best === undefined || scratch.usableCount === 1 || best.breaker === "half_open") {
    scratch.reason = best?.breaker === "half_open" ? "probe" : "best";
    return bestPlace;
  }
  const probePlace = findProbe(bestPlace, context, scratch);
  if (probePlace >= 0) {
    scratch.reason = "probe";
    return probePlace;
  }
  const stalePlace = findStale(bestPlace, input, context, scratch);
  if (stalePlace >= 0) {
    scratch.reason = "stale";
    return stalePlace;
  }
  return pickNearBest(bestPlace, input, tier, scratch);
}

/** Scores everyone; answers the place of the best, half-open ones only when there is nobody else. */
function scoreUsable(input: ChoiceInput, context: ScoreContext, scratch: Scratch): number {
  const { settings, random } = input;
  let best = -1;
  let bestHalfOpen = -1;
  for (let place = 0; place < scratch.usableCount; place++) {
    const view = scratch.usable[place];
    if (view === undefined) continue;
    const halfOpen = view.breaker === "half_open";
    // Its own posterior is frozen at the outage; what it is worth is what it was worth when it worked.
    const successRatio = halfOpen ? settings.probationSuccessRatio : drawSuccessRatio(view, settings, random);
    const utility = computeUtility(view, successRatio, context);
    scratch.successRatios[scratch.slots[place] ?? 0] = successRatio;
    scratch.utilities[place] = utility;
    if (halfOpen) {
      if (bestHalfOpen < 0 || utility > (scratch.utilities[bestHalfOpen] ?? 0)) bestHalfOpen = place;
    } else if (best < 0 || utility > (scratch.utilities[best] ?? 0)) best = place;
  }
  return best >= 0 ? best : Math.max(bestHalfOpen, 0);
}

/** The half-open candidate that was longest without a sample, if one is worth a request. */
function findProbe(bestPlace: number, context: ScoreContext, scratch: Scratch): number {
  let found = -1;
  for (let place = 0; place < scratch.usableCount; place++) {
    const view = scratch.usable[place];
    if (view?.breaker !== "half_open" || !isAffordable(place, bestPlace, context, scratch)) continue;
    if (found < 0 || view.lastSampleAgeMs > (scratch.usable[found]?.lastSampleAgeMs ?? 0)) found = place;
  }
  return found;
}

function findStale(bestPlace: number, input: ChoiceInput, context: ScoreContext, scratch: Scratch): number {
  const { settings, random, demands, history } = input;
  if (demands.priority === "speed" || history !== undefined) return -1;
  let found = -1;
  for (let place = 0; place < scratch.usableCount; place++) {
    const view = scratch.usable[place];
    // One in flight is already being measured.
    if (view === undefined || view.lastSampleAgeMs < settings.staleAfterMs || view.inFlightCount > 0)
      continue;
    if (found >= 0 && view.lastSampleAgeMs <= (scratch.usable[found]?.lastSampleAgeMs ?? 0)) continue;
    if (view.breaker !== "half_open" && isAffordable(place, bestPlace, context, scratch)) found = place;
  }
  return found >= 0 && random.next() < settings.staleShareRatio ? found : -1;
}

/** Not much worse and not much dearer than the best. */
function isAffordable(place: number, bestPlace: number, context: ScoreContext, scratch: Scratch): boolean {
  const { demands, settings } = context;
  const view = scratch.usable[place];
  const best = scratch.usable[bestPlace];
  if (view === undefined || best === undefined) return false;
  const gap = (scratch.utilities[bestPlace] ?? 0) - (scratch.utilities[place] ?? 0);
  if (gap > settings.probeMaxGap) return false;
  const bestCost = guessCostNanoUsd(best, demands, settings);
  // Three times nothing is nothing: beside a free model the reference cost is what is still cheap.
  const allowed = Math.max(bestCost * settings.probeMaxCostFactor, settings.referenceCostNanoUsd);
  return guessCostNanoUsd(view, demands, settings) <= allowed;
}

function pickNearBest(bestPlace: number, input: ChoiceInput, tier: CandidateTier, scratch: Scratch): number {
  const { settings, incumbentId, random } = input;
  const gap = isPool(tier) ? settings.nearBestPoolGap : settings.nearBestGap;
  const best = scratch.utilities[bestPlace] ?? 0;
  let nearCount = 0;
  for (let place = 0; place < scratch.usableCount; place++) {
    const view = scratch.usable[place];
    if (view === undefined || view.breaker === "half_open") continue;
    const behind = best - (scratch.utilities[place] ?? 0);
    const allowed = view.deployment.id === incumbentId ? gap * settings.hysteresisFactor : gap;
    if (behind <= allowed) scratch.near[nearCount++] = place;
  }
  scratch.reason = nearCount > 1 ? "near_best" : "best";
  return nearCount > 1 ? pickOfTwo(nearCount, random, scratch) : bestPlace;
}

function isPool(tier: CandidateTier): boolean {
  return tier.scopes[0]?.startsWith("pool ") === true;
}

/** Two different ones at random; the roomier of them, the first where they are equal. */
function pickOfTwo(nearCount: number, random: Random, scratch: Scratch): number {
  const first = Math.floor(random.next() * nearCount);
  const other = Math.floor(random.next() * (nearCount - 1));
  const firstPlace = scratch.near[first] ?? 0;
  const secondPlace = scratch.near[other >= first ? other + 1 : other] ?? 0;
  return measureRoom(scratch.usable[secondPlace]) > measureRoom(scratch.usable[firstPlace])
    ? secondPlace
    : firstPlace;
}

function measureRoom(view: CandidateView | undefined): number {
  return view === undefined ? 0 : view.headroomRatio / (view.inFlightCount + 1);
}
