import type { ChoiceInput } from "./choice-input.ts";
import type { Decision, ExplainedCandidate, NoCandidateCause } from "./decision.ts";
import { type ChoiceFilter, FILTER_CODES, PERMANENT_FILTERS } from "./hard-filters.ts";

/** What a temporary filter is called as a cause. */
const CAUSES: Readonly<Partial<Record<ChoiceFilter, NoCandidateCause>>> = {
  breaker: "breaker",
  suspect: "breaker",
  ramp: "breaker",
  held: "set_aside",
  cooldown: "rate_limited",
  headroom: "rate_limited",
  credential: "credential",
  deadline: "deadline",
  tried: "exhausted",
  same_provider: "exhausted",
  context_not_larger: "exhausted",
};

/** Which cause is told when no candidate has a time of return: the one somebody can act on. */
const ORDER: readonly NoCandidateCause[] = [
  "rate_limited",
  "breaker",
  "credential",
  "used_up",
  "set_aside",
  "deadline",
  "exhausted",
];

/**
 * Says why nothing could be chosen. Candidates that only time keeps away name the
 * cause: the one that comes back first. Without any it is the requirements.
 */
export function describeFailure(input: ChoiceInput, explanation: readonly ExplainedCandidate[]): Decision {
  let retryAtMs: number | undefined;
  let cause: NoCandidateCause | undefined;
  for (const { view, filter } of explanation) {
    if (filter === undefined || (PERMANENT_FILTERS & (1 << FILTER_CODES[filter])) !== 0) continue;
    const atMs = findReturnMs(filter, view);
    const told = filter === "credential" && view.isUsedUp ? "used_up" : CAUSES[filter];
    if (atMs !== undefined && atMs > input.nowMs && Number.isFinite(atMs)) {
      if (retryAtMs === undefined || atMs < retryAtMs) {
        retryAtMs = atMs;
        cause = told;
      }
    } else if (retryAtMs === undefined && told !== undefined && isMoreTelling(told, cause)) cause = told;
  }
  return { kind: "none", cause: cause ?? "requirements", retryAtMs, explanation };
}

function isMoreTelling(told: NoCandidateCause, than: NoCandidateCause | undefined): boolean {
  return than === undefined || ORDER.indexOf(told) < ORDER.indexOf(than);
}

/** Several things may keep a candidate away; it comes back after the last of them. */
function findReturnMs(filter: ChoiceFilter, view: ExplainedCandidate["view"]): number | undefined {
  const openUntilMs = view.breaker === "open" ? view.openUntilMs : 0;
  const heldMs = Math.max(view.heldUntilMs, view.cooldownUntilMs, openUntilMs);
  switch (filter) {
    case "credential":
      return Math.max(view.credentialDisabledUntilMs, heldMs);
    case "held":
    case "cooldown":
    case "breaker":
      return heldMs;
    default:
      return undefined;
  }
}
