/** How answers end, in OpenAI's words. */

import type { RouteResult } from "../domain/attempt.ts";
import type { FinishReason } from "../domain/event.ts";
import type { Usage } from "../domain/usage.ts";

/** OpenAI has no word for other reasons; the provider's own is then given beside it. */
const FINISH_WORDS: Readonly<Record<FinishReason, string>> = {
  stop: "stop",
  length: "length",
  tool_calls: "tool_calls",
  content_filter: "content_filter",
  other: "stop",
};

/**
 * The members of a choice that say why it ended, as JSON without braces. Where the
 * reason is none of OpenAI's, `native_finish_reason` (OpenRouter's name) has the provider's word.
 */
export function encodeFinish(result: RouteResult, isLegacy: boolean): string {
  const isCall = isLegacy && result.finishReason === "tool_calls";
  const word = isCall ? "function_call" : FINISH_WORDS[result.finishReason];
  const native =
    result.finishReason === "other" && result.rawFinishReason !== ""
      ? `,"native_finish_reason":${JSON.stringify(result.rawFinishReason)}`
      : "";
  return `"finish_reason":"${word}"${native}`;
}

/**
 * The usage object as JSON, or undefined while either count is unknown: OpenAI's
 * clients take the counts for whole numbers, and a made-up zero would be a lie.
 */
export function encodeUsage(usage: Usage | undefined): string | undefined {
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage ?? {};
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const cached =
    cachedInputTokens === undefined ? "" : `,"prompt_tokens_details":{"cached_tokens":${cachedInputTokens}}`;
  const reasoning =
    reasoningTokens === undefined
      ? ""
      : `,"completion_tokens_details":{"reasoning_tokens":${reasoningTokens}}`;
  const total = inputTokens + outputTokens;
  return (
    `{"prompt_tokens":${inputTokens},"completion_tokens":${outputTokens},"total_tokens":${total}` +
    `${cached}${reasoning}}`
  );
}
