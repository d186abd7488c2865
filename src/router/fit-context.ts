/** What is done with a prompt that no candidate of its target has room for, as the request wishes. */

import type { CandidateView } from "../core/choice/candidate-view.ts";
import { PROMPT_RESERVE_RATIO } from "../core/choice/demands.ts";
import { FILTER_CODES, findFilter } from "../core/choice/hard-filters.ts";
import { trimMessages } from "../core/trim-messages.ts";
import type { Adjustment } from "../domain/adjustment.ts";
import type { ContextOverflow, GenerationRequest } from "../domain/request.ts";
import type { LiveSet } from "../policies/candidates/candidate-source.ts";
import type { DecisionFacts } from "./decider.ts";
import type { RouterParts } from "./router-parts.ts";

/** A request that has room, as far as that can be had. */
export interface FittedRequest {
  readonly request: GenerationRequest;
  readonly live: LiveSet;
  readonly adjustments: readonly Adjustment[];
}

/** Left free for an answer whose length nobody has limited. */
const USUAL_ANSWER_TOKENS = 1_024;
/** At the most this share of a window is left free for the answer. */
const MAX_ANSWER_SHARE = 0.25;

/** Fits a request to its target's windows, or its target to the request; unchanged where it fits, or nothing helps. */
export function fitContext(
  parts: RouterParts,
  request: GenerationRequest,
  live: LiveSet,
  policy: ContextOverflow,
): FittedRequest {
  const unchanged = { request, live, adjustments: [] };
  if (policy === "fail") return unchanged;
  const facts = parts.decider.deriveFacts(request, live, Number.POSITIVE_INFINITY);
  const tooSmall = findTooSmall(parts, facts);
  if (tooSmall === undefined) return unchanged;
  return policy === "trim_oldest"
    ? (trim(request, facts, tooSmall) ?? unchanged)
    : (widen(parts, request, facts) ?? unchanged);
}

/** The candidates that lack nothing but room; undefined when one has it, or none would do anyway. */
function findTooSmall(parts: RouterParts, facts: DecisionFacts): readonly CandidateView[] | undefined {
  const { demands, settings, live } = facts;
  const moment = { demands, settings, nowMs: parts.clock.nowMs(), remainingMs: Infinity, history: undefined };
  parts.source.refreshIgnoringPlaces(live);
  const tooSmall: CandidateView[] = [];
  for (const view of live.views.flat()) {
    const code = findFilter(view, moment, 0);
    if (code === FILTER_CODES.prompt_length) tooSmall.push(view);
    // Whatever is asked later was asked of somebody with room.
    else if (code < 0 || code > FILTER_CODES.prompt_length) return undefined;
  }
  return tooSmall.length > 0 ? tooSmall : undefined;
}

function trim(
  request: GenerationRequest,
  { live, demands }: DecisionFacts,
  tooSmall: readonly CandidateView[],
): FittedRequest | undefined {
  const { promptTokens, maxOutputTokens = USUAL_ANSWER_TOKENS } = demands;
  const room = Math.max(
    ...tooSmall.map(({ model, promptTokenRatio }) => {
      const windowTokens = model.capabilities.contextWindowTokens;
      return (
        (windowTokens - Math.min(maxOutputTokens, windowTokens * MAX_ANSWER_SHARE)) /
        (promptTokenRatio * PROMPT_RESERVE_RATIO)
      );
    }),
  );
  const trimmed = trimMessages(request.messages, demands.fixedPromptTokens, room);
  if (trimmed === undefined) return undefined;
  const describe = (count: number, tokens: number) => `${count} messages, about ${Math.ceil(tokens)} tokens`;
  const adjustment: Adjustment = {
    field: "messages",
    asked: describe(request.messages.length, promptTokens),
    used: describe(trimmed.messages.length, trimmed.tokens),
    reason: "context_window",
  };
  return { request: { ...request, messages: trimmed.messages }, live, adjustments: [adjustment] };
}

function widen(
  parts: RouterParts,
  request: GenerationRequest,
  { live }: DecisionFacts,
): FittedRequest | undefined {
  const resolved = parts.source.resolve({ kind: "named", name: "auto" });
  if (resolved.kind === "failed") return undefined;
  const facts = parts.decider.deriveFacts(request, resolved.live, Number.POSITIVE_INFINITY);
  if (findTooSmall(parts, facts) !== undefined) return undefined;
  const adjustment: Adjustment = {
    field: "target",
    asked: live.set.target,
    used: "auto",
    reason: "larger_model",
  };
  return { request, live: resolved.live, adjustments: [adjustment] };
}
