import type { Decision } from "../core/choice/decision.ts";
import { concurrencyLimitError, noCandidateError, type RemovedCandidate } from "../core/route-errors.ts";
import type { RouteError } from "../domain/errors.ts";
import type { DecisionFacts } from "./decider.ts";
import type { RouterParts } from "./router-parts.ts";

/** What a caller is told when no first attempt could be made. */
export function explainNoCandidate(
  { clock, deployments }: RouterParts,
  { live }: DecisionFacts,
  { cause, retryAtMs, explanation }: Extract<Decision, { kind: "none" }>,
): RouteError {
  const removed = explanation.flatMap(({ view, filter }): RemovedCandidate[] =>
    filter === undefined ? [] : [{ model: view.model.name, filter }],
  );
  // A full deployment looks held for a moment; that its queue is full too is the caller's trouble.
  const candidates = live.set.tiers.flatMap((tier) => tier.deployments);
  const anyFull =
    live.limits.some((limit) => limit?.admits === false && limit.rateDelayMs === 0) ||
    candidates.some((deployment) => !deployments.entry(deployment).limit.hasRoom);
  if (cause !== "requirements" && anyFull) return concurrencyLimitError();
  const rateDelays = live.limits.flatMap((limit) =>
    limit !== undefined && limit.rateDelayMs > 0 ? [limit.rateDelayMs] : [],
  );
  if (rateDelays.length > 0 && removed.length < candidates.length) {
    return noCandidateError("rate_limited", removed, Math.min(...rateDelays));
  }
  return noCandidateError(cause, removed, retryAtMs === undefined ? undefined : retryAtMs - clock.nowMs());
}
