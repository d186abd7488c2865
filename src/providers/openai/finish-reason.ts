import type { FinishReason } from "../../domain/event.ts";
import type { FailureClass } from "../../domain/outcome.ts";

/** OpenAI's words, and those of GLM and OpenRouter that mean the same. */
const FINISH_REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ["stop", "stop"],
  ["length", "length"],
  ["max_tokens", "length"],
  // Mistral's word for a full window.
  ["model_length", "length"],
  ["tool_calls", "tool_calls"],
  ["function_call", "tool_calls"],
  ["content_filter", "content_filter"],
  ["sensitive", "content_filter"],
]);

/** Words that say the answer failed. */
const FAILURES: ReadonlyMap<string, FailureClass> = new Map([
  ["error", "server_error"],
  ["network_error", "server_error"],
  // DeepSeek's word for an answer that it broke off (api-docs.deepseek.com, chat completion).
  ["insufficient_system_resource", "overloaded"],
  // vLLM and SGLang: the server gave the answer up. We did not, or nobody would read this.
  ["abort", "server_error"],
]);

/** GLM's word for a full context window; no part of its published list. */
const WINDOW_FULL = "model_context_window_exceeded";

/** What is known of an answer when it ends. */
export interface AnswerSoFar {
  /** Whether any delta came. */
  readonly hasDeltas: boolean;
  readonly hasToolCalls: boolean;
}

/**
 * Says what a server's `finish_reason` means. Empty means the server ended without
 * one. Servers that say `stop` after tool calls mean the calls.
 */
export function readFinishReason(word: string, answer: AnswerSoFar): FinishReason {
  if (word === WINDOW_FULL) return "length";
  const reason = word === "" ? "stop" : (FINISH_REASONS.get(word) ?? "other");
  return reason === "stop" && answer.hasToolCalls ? "tool_calls" : reason;
}

/** The failure a `finish_reason` stands for, or undefined when it ends an answer. */
export function readFinishFailure(word: string, answer: AnswerSoFar): FailureClass | undefined {
  if (word === WINDOW_FULL && !answer.hasDeltas) return "context_length_exceeded";
  return FAILURES.get(word);
}
