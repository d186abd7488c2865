/** Bodies of chat completions, which OpenAI and GLM write nearly alike. */

import type { FinishReason, GenerationEvent, ToolCall } from "../../domain/event.ts";
import type { AnswerEnd, AnswerHead } from "../dialect.ts";
import { gatherAnswer } from "../gather-answer.ts";

/** `usage` of a chat completion. */
export function writeChatUsage({ inputTokens }: AnswerHead, { outputTokens }: AnswerEnd) {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
}

/** Our finish reason in the dialect's words; `other` cannot be said and becomes `stop`. */
export function nameChatFinish(reason: FinishReason): string {
  return reason === "other" ? "stop" : reason;
}

/** The body of an answer that is not streamed. */
export function writeCompletion(head: AnswerHead, events: readonly GenerationEvent[], end: AnswerEnd) {
  const { text, toolCalls } = gatherAnswer(events);
  const message = {
    role: "assistant",
    content: toolCalls.length > 0 && text === "" ? null : text,
    ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map(writeChatToolCall) }),
  };
  return {
    id: `chatcmpl-${head.id}`,
    object: "chat.completion",
    created: head.createdSeconds,
    model: head.model,
    choices: [{ index: 0, message, finish_reason: nameChatFinish(end.finishReason) }],
    usage: writeChatUsage(head, end),
  };
}

/** A whole call as chat completions write it. */
export function writeChatToolCall(call: ToolCall) {
  return {
    id: call.callId,
    type: "function",
    function: { name: call.name, arguments: call.arguments },
  };
}

/** What stands in every chunk of a stream. */
export function writeChunk(head: AnswerHead, choices: readonly unknown[], more: object = {}) {
  return {
    id: `chatcmpl-${head.id}`,
    object: "chat.completion.chunk",
    created: head.createdSeconds,
    model: head.model,
    choices,
    ...more,
  };
}
