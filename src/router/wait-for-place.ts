/** Waiting for a place at candidates that could serve but for their concurrency limits. */

import type { CandidateView } from "../core/choice/candidate-view.ts";
import type { Decision } from "../core/choice/decision.ts";
import { clipOutputTokens } from "../core/choice/demands.ts";
import {
  type AttemptHistory,
  CHOICE_FILTERS,
  type ChoiceFilter,
  findFilter,
  maskOf,
  PASSED,
} from "../core/choice/hard-filters.ts";
import type { Cleanup } from "../domain/ports.ts";
import type { TierLimit } from "../policies/candidates/tier-limits.ts";
import type { ConcurrencyLimit } from "../policies/concurrency-limit.ts";
import type { DecisionFacts } from "./decider.ts";
import type { RouterParts } from "./router-parts.ts";

const HEADROOM = maskOf("headroom");

/** A decision for a candidate. */
export type Chosen = Extract<Decision, { kind: "chosen" }>;

/** Which place a waiter holds when its turn has come; `nothing` where it waited for something else. */
export type HeldPlace = "deployment" | "tier" | "nothing";

/** What happens when the turn has come, once. */
export interface PlaceListener {
  /** The turn has come at this candidate. Returns whether it was used; a place that was not is given back. */
  onPlace(chosen: Chosen, held: HeldPlace): boolean;
  /** The place was of no use: something else has changed meanwhile. */
  onMissed(): void;
}

/**
 * Waits at every candidate, and every tier, that only lacks a place; the first place
 * that comes free counts and the other queues are left. Returns what stops waiting, or
 * undefined when there is nothing to wait for or every queue is full.
 */
export function waitForPlace(
  parts: RouterParts,
  facts: DecisionFacts,
  history: AttemptHistory | undefined,
  listener: PlaceListener,
): Cleanup | undefined {
  const { live } = facts;
  const cleanups: Cleanup[] = [];
  const stop = () => {
    for (const cleanup of cleanups) cleanup();
  };
  const queueAt = (
    limit: ConcurrencyLimit | TierLimit,
    held: HeldPlace,
    find: () => Chosen | undefined,
  ): void => {
    const cleanup = limit.wait(() => {
      stop();
      // Much may have happened meanwhile: the provider may even have asked to be left alone.
      parts.source.refreshIgnoringPlaces(live);
      const chosen = find();
      if (chosen !== undefined && listener.onPlace(chosen, held)) return;
      limit.release();
      listener.onMissed();
    });
    if (cleanup !== undefined) cleanups.push(cleanup);
  };
  const hasRoom = (view: CandidateView) => parts.deployments.entry(view.deployment).limit.hasRoom;

  parts.source.refreshIgnoringPlaces(live);
  for (const [tierIndex, views] of live.views.entries()) {
    const tierLimit = live.limits[tierIndex];
    if (tierLimit?.admits === false) {
      if (tierLimit.rateDelayMs > 0) continue;
      queueAt(tierLimit, "tier", () => {
        if (tierLimit.rateDelayMs > 0) return undefined;
        const free = views.find((view) => couldServe(parts, facts, history, view) && hasRoom(view));
        return free && chooseDirectly(facts, free, tierIndex);
      });
      continue;
    }
    for (const view of views) {
      if (hasRoom(view) || !couldServe(parts, facts, history, view)) continue;
      const { limit } = parts.deployments.entry(view.deployment);
      // Its turn would come after the deadline: the caller is better told at once.
      if (comesTooLate(parts, facts, limit)) continue;
      queueAt(limit, "deployment", () =>
        couldServe(parts, facts, history, view) ? chooseDirectly(facts, view, tierIndex) : undefined,
      );
    }
  }
  return cleanups.length > 0 ? stop : undefined;
}

/** Whether the spacing of a deployment's starts leaves no turn before the deadline. */
export function comesTooLate(
  { clock }: RouterParts,
  { deadlineMs }: DecisionFacts,
  limit: ConcurrencyLimit,
): boolean {
  const delayMs = limit.turnDelayMs;
  return delayMs > 0 && clock.nowMs() + delayMs >= deadlineMs;
}

/** A decision for one candidate that circumstances have chosen. */
export function chooseDirectly(
  { live, demands }: DecisionFacts,
  view: CandidateView,
  tierIndex: number,
): Chosen | undefined {
  const tier = live.set.tiers[tierIndex];
  if (tier === undefined) return undefined;
  return {
    kind: "chosen",
    view,
    tier,
    tierIndex,
    reason: "same",
    relaxed: undefined,
    maxOutputTokens: clipOutputTokens(demands, view),
    explanation: undefined,
  };
}

/** Whether a candidate could serve but for its places; its view must have been refreshed without them. */
export function couldServe(...args: Parameters<typeof findObstacle>): boolean {
  return findObstacle(...args) === undefined;
}

/** What keeps a candidate from serving beside its places; its view must have been refreshed without them. */
export function findObstacle(
  { clock }: RouterParts,
  { demands, settings }: DecisionFacts,
  history: AttemptHistory | undefined,
  view: CandidateView,
): ChoiceFilter | undefined {
  const moment = { demands, settings, nowMs: clock.nowMs(), remainingMs: Infinity, history };
  // Whoever waits would rather be late than refused: the limit on rate is given up before the request is.
  const code = findFilter(view, moment, HEADROOM);
  return code === PASSED ? undefined : CHOICE_FILTERS[code];
}
