import type { CandidateView } from "../core/choice/candidate-view.ts";
import type { Decision } from "../core/choice/decision.ts";
import type { Demands } from "../core/choice/demands.ts";
import type { ChoiceFilter } from "../core/choice/hard-filters.ts";
import { concurrencyLimitError, noCandidateError, type RemovedCandidate } from "../core/route-errors.ts";
import type { RouteError } from "../domain/errors.ts";
import type { GenerationRequest } from "../domain/request.ts";
import type { DecisionFacts } from "./decider.ts";
import type { RouterParts } from "./router-parts.ts";
import { comesTooLate, couldServe, findObstacle } from "./wait-for-place.ts";

/** What a caller is told when no first attempt could be made. */
export function explainNoCandidate(
  parts: RouterParts,
  { target }: GenerationRequest,
  facts: DecisionFacts,
  { cause, retryAtMs, explanation }: Extract<Decision, { kind: "none" }>,
): RouteError {
  const { clock, deployments, source } = parts;
  const { live } = facts;
  const removed = explanation.flatMap(({ view, filter }): RemovedCandidate[] =>
    filter === undefined ? [] : [describeRemoved(view, filter, facts.demands)],
  );
  // A tier at its own limit was not looked at: who of it could serve but for that?
  source.refreshIgnoringPlaces(live);
  const delaysMs: number[] = [];
  for (const [tierIndex, limit] of live.limits.entries()) {
    if (limit?.admits !== false) continue;
    for (const view of live.views[tierIndex] ?? []) {
      const filter = findObstacle(parts, facts, undefined, view);
      if (filter === undefined) delaysMs.push(limit.rateDelayMs);
      else removed.push(describeRemoved(view, filter, facts.demands));
    }
  }
  // A full deployment looks held for a moment; that its queue is full too is the caller's trouble.
  let anyFull = false;
  for (const view of live.views.flat()) {
    const { limit } = deployments.entry(view.deployment);
    const isLate = comesTooLate(parts, facts, limit);
    if (!isLate && !limit.hasRoom) anyFull = true;
    if (isLate && couldServe(parts, facts, undefined, view)) delaysMs.push(limit.turnDelayMs);
  }
  if (delaysMs.includes(0) || (cause !== "requirements" && anyFull)) return concurrencyLimitError();
  if (delaysMs.length > 0) return noCandidateError("rate_limited", removed, Math.min(...delaysMs));
  const namedModel = target.kind === "model" ? target.model : undefined;
  const delayMs = retryAtMs === undefined ? undefined : retryAtMs - clock.nowMs();
  return noCandidateError(cause, removed, delayMs, namedModel);
}

/** A candidate that was removed, with the figures that an error may tell. */
function describeRemoved(
  { model, promptTokenRatio }: CandidateView,
  filter: ChoiceFilter,
  { promptTokens }: Demands,
): RemovedCandidate {
  return {
    model: model.name,
    filter,
    promptTokens: promptTokens * promptTokenRatio,
    windowTokens: model.capabilities.contextWindowTokens,
  };
}
