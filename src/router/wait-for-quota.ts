/** Waiting for limits on rate at candidates that could serve but for them. */

import type { CandidateView } from "../core/choice/candidate-view.ts";
import { expectTotalMs } from "../core/choice/expectation.ts";
import type { AttemptHistory } from "../core/choice/hard-filters.ts";
import { computeValue } from "../core/choice/utility.ts";
import type { Cleanup } from "../domain/ports.ts";
import type { DecisionFacts } from "./decider.ts";
import type { RouterParts } from "./router-parts.ts";
import { chooseDirectly, couldServe, type PlaceListener } from "./wait-for-place.ts";

/** The share of the time left that a request waits at most where a queue stands: CoDel's rule for a queue that does not empty (RFC 8289), with its deadline for an interval. */
const STANDING_WAIT_RATIO = 0.1;

/**
 * Waits at one of the candidates that only lack room in their limits: at the one whose
 * answer is worth most when the wait is counted as part of its time. Returns what stops
 * waiting, or undefined where no answer would be whole before the deadline.
 */
export function waitForQuota(
  parts: RouterParts,
  facts: DecisionFacts,
  history: AttemptHistory | undefined,
  listener: PlaceListener,
): Cleanup | undefined {
  const { clock, source, quotaQueues, quality } = parts;
  const { live, demands, settings, deadlineMs } = facts;
  source.refreshIgnoringPlaces(live);
  let first: { view: CandidateView; tierIndex: number } | undefined;
  let best = 0;
  const context = { demands, settings, quality: quality.columnOf(demands.task) };
  const remainingMs = Math.min(deadlineMs - clock.nowMs(), demands.limits.maxLatencyMs ?? Infinity);
  for (const [tierIndex, views] of live.views.entries()) {
    if (live.limits[tierIndex]?.admits === false) continue;
    for (const view of views) {
      if (!canWaitAt(parts, facts, history, view)) continue;
      const { turnDelayMs: delayMs, isStanding } = quotaQueues.of(view.deployment);
      if (delayMs === undefined || delayMs + expectTotalMs(view, demands, settings) >= remainingMs) continue;
      if (isStanding && delayMs > STANDING_WAIT_RATIO * remainingMs) continue;
      const value = view.successMean * computeValue(view, context, delayMs);
      if (first !== undefined && value <= best) continue;
      first = { view, tierIndex };
      best = value;
    }
  }
  if (first === undefined) return undefined;
  const { view, tierIndex } = first;
  return quotaQueues.of(view.deployment).wait(() => {
    source.refreshIgnoringPlaces(live);
    const chosen = canWaitAt(parts, facts, history, view)
      ? chooseDirectly(facts, view, tierIndex)
      : undefined;
    if (chosen === undefined || !listener.onPlace(chosen, "nothing")) listener.onMissed();
  });
}

function canWaitAt(
  parts: RouterParts,
  facts: DecisionFacts,
  history: AttemptHistory | undefined,
  view: CandidateView,
): boolean {
  return parts.deployments.entry(view.deployment).limit.hasRoom && couldServe(parts, facts, history, view);
}
