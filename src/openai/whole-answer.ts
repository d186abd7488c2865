/** The answer to a request without `stream`: collects a route and answers once. */

import type { RouteResult } from "../domain/attempt.ts";
import { type CollectedAnswer, collectGeneration } from "../router/collect-generation.ts";
import type { RouteConsumer } from "../router/route.ts";
import type { HttpExchange } from "../service/http-exchange.ts";
import { type AnswerHead, listAdjustmentHeaders, listAnswerHeaders } from "./answer-head.ts";
import { encodeExtension } from "./encode-extension.ts";
import { answerRouteError } from "./error-answer.ts";
import { encodeFinish, encodeUsage } from "./finish.ts";

/** Makes a consumer that answers the exchange when the route ends, unless the caller left first. */
export function answerWhole(exchange: HttpExchange, head: AnswerHead): RouteConsumer {
  return collectGeneration({
    onAnswer(answer, result) {
      const headers = {
        ...listAnswerHeaders(head, result.deployment, result.attempts.length),
        ...listAdjustmentHeaders(result),
      };
      const body = encodeCompletion(head, result, answer);
      exchange.respond(200, { "content-type": "application/json", ...headers }, body);
    },
    onFailed(error) {
      if (exchange.cancelled === "caller_gone") return;
      const { status, headers, body } = answerRouteError(error);
      exchange.respond(status, headers, body);
    },
  });
}

function encodeCompletion(head: AnswerHead, result: RouteResult, answer: CollectedAnswer): string {
  const usage = encodeUsage(result.usage);
  return (
    `{"id":"${head.id}","object":"chat.completion","created":${head.createdSeconds}` +
    `,"model":${JSON.stringify(result.deployment.model)}` +
    `,"choices":[{"index":0,"message":${encodeMessage(head, answer)},"logprobs":null` +
    `,${encodeFinish(result, head.form.isLegacy)}}]` +
    `${usage === undefined ? "" : `,"usage":${usage}`}${encodeExtension(result)}}`
  );
}

function encodeMessage(head: AnswerHead, { text, reasoningText, toolCalls }: CollectedAnswer): string {
  const { isLegacy, isSingleCall } = head.form;
  const calls = (isSingleCall ? toolCalls.slice(0, 1) : toolCalls).map(
    ({ callId, name, thoughtSignature, ...call }) => ({
      id: callId,
      type: "function",
      function: { name, arguments: call.arguments },
      ...(thoughtSignature !== undefined && {
        extra_content: { google: { thought_signature: thoughtSignature } },
      }),
    }),
  );
  return JSON.stringify({
    role: "assistant",
    content: text === "" && calls.length > 0 ? null : text,
    refusal: null,
    ...(reasoningText === "" ? {} : { reasoning_content: reasoningText }),
    ...(calls.length > 0 && (isLegacy ? { function_call: calls[0]?.function } : { tool_calls: calls })),
  });
}
