/** What each dialect's servers send beside a plain answer: reasoning, several tools, and their own errors. */

import type { FailureClass } from "../../src/domain/outcome.ts";
import { CANNED_DIALECTS, type DialectName } from "../faults/canned-answer.ts";

/** An error as a server of the dialect tells it. */
export interface DialectError {
  readonly class: FailureClass;
  readonly status: number;
  readonly body: string;
  /** Whether its body alone tells the class, so that it is the same inside a stream that began well. */
  readonly isTelling: boolean;
}

/** What differs from dialect to dialect. */
export interface DialectFacts {
  /** A frame with a piece of the model's reasoning. */
  reasoning(text: string): string;
  /** Frames of two calls, `add` and `mul`, and the end. */
  readonly twoCalls: readonly string[];
  /** Arguments of one call as this dialect writes them. */
  readonly oneCall: readonly string[];
  /** Where the request's body holds this picture, as JSON text. */
  imageIn(base64: string, mediaType: string): string;
  /** What in the request's body asks for JSON. */
  readonly jsonDemand: string;
  readonly errors: readonly DialectError[];
}

const ARGUMENTS = '{"a":2,"b":3}';

function error(failureClass: FailureClass, status: number, body: unknown, isTelling = true): DialectError {
  return { class: failureClass, status, body: JSON.stringify(body), isTelling };
}

function bare(failureClass: FailureClass, status: number): DialectError {
  return { class: failureClass, status, body: "", isTelling: false };
}

function chatFacts(
  name: DialectName,
  errors: readonly DialectError[],
  reasoningMember = "reasoning_content",
): DialectFacts {
  const dialect = CANNED_DIALECTS[name];
  const delta = (members: string) =>
    dialect.frame(`{"model":"upstream-1","choices":[{"index":0,"delta":{${members}}}]}`);
  const call = (index: number, tool: string) => [
    delta(
      `"tool_calls":[{"index":${index},"id":"call_${index}","type":"function","function":{"name":"${tool}","arguments":""}}]`,
    ),
    ...['{"a":2,', '"b":3}'].map((piece) =>
      delta(`"tool_calls":[{"index":${index},"function":{"arguments":${JSON.stringify(piece)}}}]`),
    ),
  ];
  return {
    reasoning: (text) => delta(`"${reasoningMember}":${JSON.stringify(text)}`),
    twoCalls: [...call(0, "add"), ...call(1, "mul"), ...dialect.endWithWord("tool_calls")],
    oneCall: dialect.toolCall("add", ARGUMENTS),
    imageIn: (base64, mediaType) => `"image_url":{"url":"data:${mediaType};base64,${base64}"}`,
    jsonDemand: '"response_format":{"type":"json_object"}',
    errors,
  };
}

const openAiError = (type: string, code: string | null, message = "no") => ({
  error: { message, type, param: null, code },
});
const glmError = (code: string) => ({ error: { code, message: "no" } });
const routerError = (code: number, error_type: string, more = {}) => ({
  error: { code, message: "no", metadata: { error_type, ...more } },
});
const anthropicError = (type: string, message = "no") => ({ type: "error", error: { type, message } });
const googleError = (code: number, status: string, message = "no") => [{ error: { code, message, status } }];

const anthropicFrame = CANNED_DIALECTS.anthropic.frame;

function anthropicCall(index: number, name: string): readonly string[] {
  return [
    anthropicFrame(
      `{"type":"content_block_start","index":${index},"content_block":{"type":"tool_use","id":"toolu_${index}","name":"${name}","input":{}}}`,
    ),
    ...["", '{"a":2,', '"b":3}'].map((piece) =>
      anthropicFrame(
        `{"type":"content_block_delta","index":${index},"delta":{"type":"input_json_delta","partial_json":${JSON.stringify(piece)}}}`,
      ),
    ),
    anthropicFrame(`{"type":"content_block_stop","index":${index}}`),
  ];
}

function ollamaCall(...names: readonly string[]): readonly string[] {
  const calls = names.map((name) => `{"function":{"name":"${name}","arguments":${ARGUMENTS}}}`).join(",");
  const message = `{"role":"assistant","content":"","tool_calls":[${calls}]}`;
  return [
    CANNED_DIALECTS.ollama.frame(`{"model":"upstream-1","message":${message},"done":false}`),
    ...CANNED_DIALECTS.ollama.ending,
  ];
}

/** By dialect. */
export const DIALECT_FACTS: Readonly<Record<DialectName, DialectFacts>> = {
  openai: chatFacts("openai", [
    error("auth", 401, openAiError("invalid_request_error", "invalid_api_key")),
    error("invalid_request", 400, openAiError("invalid_request_error", null)),
    error("context_length_exceeded", 400, openAiError("invalid_request_error", "context_length_exceeded")),
    error("content_filter", 400, openAiError("invalid_request_error", "content_policy_violation")),
    error("rate_limit", 429, openAiError("requests", "rate_limit_exceeded")),
    error("quota_exhausted", 429, openAiError("insufficient_quota", "insufficient_quota")),
    error("model_unavailable", 404, openAiError("invalid_request_error", "model_not_found")),
    error("server_error", 500, openAiError("server_error", null)),
    error("overloaded", 503, openAiError("server_error", "server_is_overloaded")),
    bare("timeout", 504),
  ]),
  glm: chatFacts("glm", [
    error("auth", 401, glmError("1002")),
    error("invalid_request", 400, glmError("1214")),
    error("context_length_exceeded", 400, glmError("1261")),
    error("content_filter", 400, glmError("1301")),
    error("rate_limit", 429, glmError("1302")),
    error("quota_exhausted", 429, glmError("1113")),
    error("model_unavailable", 400, glmError("1211")),
    error("server_error", 500, glmError("1234")),
    error("overloaded", 429, glmError("1305")),
    bare("timeout", 504),
  ]),
  openrouter: chatFacts(
    "openrouter",
    [
      error("auth", 401, routerError(401, "authentication")),
      error("invalid_request", 400, routerError(400, "invalid_request")),
      error("context_length_exceeded", 400, routerError(400, "context_length_exceeded")),
      error(
        "content_filter",
        403,
        routerError(403, "refusal", { reasons: ["violence"], flagged_input: "x" }),
      ),
      error("rate_limit", 429, routerError(429, "rate_limit_exceeded")),
      error("quota_exhausted", 402, routerError(402, "payment_required")),
      error("model_unavailable", 404, routerError(404, "not_found")),
      error("server_error", 500, routerError(500, "server")),
      error("overloaded", 529, routerError(529, "provider_overloaded")),
      error("timeout", 408, routerError(408, "timeout")),
    ],
    "reasoning",
  ),
  anthropic: {
    reasoning: (text) =>
      anthropicFrame(
        `{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":${JSON.stringify(text)}}}`,
      ),
    twoCalls: [
      ...anthropicCall(1, "add"),
      ...anthropicCall(2, "mul"),
      ...CANNED_DIALECTS.anthropic.endWithWord("tool_use").slice(1),
    ],
    oneCall: CANNED_DIALECTS.anthropic.toolCall("add", ARGUMENTS),
    imageIn: (data, media_type) => `"source":${JSON.stringify({ type: "base64", media_type, data })}`,
    jsonDemand: "JSON",
    errors: [
      error("auth", 401, anthropicError("authentication_error")),
      error("invalid_request", 400, anthropicError("invalid_request_error")),
      error(
        "context_length_exceeded",
        400,
        anthropicError("invalid_request_error", "prompt is too long: 200001 tokens > 200000 maximum"),
      ),
      error(
        "content_filter",
        400,
        anthropicError("invalid_request_error", "Output blocked by content filtering policy"),
      ),
      error("rate_limit", 429, anthropicError("rate_limit_error")),
      error("quota_exhausted", 402, anthropicError("billing_error")),
      error("model_unavailable", 404, anthropicError("not_found_error")),
      error("server_error", 500, anthropicError("api_error")),
      error("overloaded", 529, anthropicError("overloaded_error")),
      error("timeout", 504, anthropicError("timeout_error")),
    ],
  },
  ollama: {
    reasoning: (text) =>
      CANNED_DIALECTS.ollama.frame(
        `{"model":"upstream-1","message":{"role":"assistant","content":"","thinking":${JSON.stringify(text)}},"done":false}`,
      ),
    twoCalls: ollamaCall("add", "mul"),
    oneCall: ollamaCall("add"),
    imageIn: (base64) => `"images":["${base64}"]`,
    jsonDemand: '"format":"json"',
    // It has no codes and filters nothing.
    errors: [
      error("auth", 401, { error: "unauthorized" }, false),
      error("invalid_request", 400, { error: "invalid options" }, false),
      error("context_length_exceeded", 400, { error: "the input length exceeds the context length" }),
      error("rate_limit", 429, { error: "too many requests" }, false),
      error("quota_exhausted", 429, { error: "you have reached your weekly usage limit" }),
      error("model_unavailable", 404, { error: "model 'x' not found" }, false),
      error("server_error", 500, { error: "llama runner process has terminated" }),
      error(
        "overloaded",
        503,
        { error: "server busy, please try again. maximum pending requests exceeded" },
        false,
      ),
      bare("timeout", 504),
    ],
  },
  gemini: chatFacts("gemini", [
    error(
      "auth",
      400,
      googleError(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    ),
    error("invalid_request", 400, googleError(400, "INVALID_ARGUMENT")),
    error(
      "context_length_exceeded",
      400,
      googleError(
        400,
        "INVALID_ARGUMENT",
        "The input token count (9) exceeds the maximum number of tokens allowed (8).",
      ),
    ),
    // A blocked prompt is a finish reason there, and used-up credit is told like a rate limit.
    error("rate_limit", 429, googleError(429, "RESOURCE_EXHAUSTED")),
    error("model_unavailable", 404, googleError(404, "NOT_FOUND")),
    error("server_error", 500, googleError(500, "INTERNAL")),
    error("overloaded", 503, googleError(503, "UNAVAILABLE")),
    error("timeout", 504, googleError(504, "DEADLINE_EXCEEDED")),
  ]),
};
