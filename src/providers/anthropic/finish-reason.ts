import type { FinishReason } from "../../domain/event.ts";

/** Anthropic's words for why an answer ended (Messages API, `stop_reason`). */
const FINISH_REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["pause_turn", "stop"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "length"],
  ["tool_use", "tool_calls"],
  ["refusal", "content_filter"],
]);

/** The word for a full context window: without any text it is a failure. */
export const WINDOW_FULL = "model_context_window_exceeded";

/** Says what a `stop_reason` means; empty means the server ended without one. */
export function readFinishReason(word: string, hasToolCalls: boolean): FinishReason {
  if (word === "") return hasToolCalls ? "tool_calls" : "stop";
  return FINISH_REASONS.get(word) ?? "other";
}
