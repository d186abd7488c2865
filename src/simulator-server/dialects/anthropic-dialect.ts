/** Anthropic's Messages (docs.anthropic.com/en/api/messages and …/messages-streaming). */

import type { FinishReason, GenerationEvent } from "../../domain/event.ts";
import { isRecord } from "../../lib/is-record.ts";
import type { QuotaState } from "../../providers/simulator/quota-bucket.ts";
import type { AnswerEnd, AnswerHead, Dialect, ErrorKind, StreamWriter } from "../dialect.ts";
import { gatherAnswer } from "../gather-answer.ts";
import { readAnthropicRequest } from "./read-anthropic-request.ts";
import { writeSseEvent } from "./sse.ts";

const ERRORS: Readonly<Record<ErrorKind, { status: number; type: string }>> = {
  auth: { status: 401, type: "authentication_error" },
  invalid_request: { status: 400, type: "invalid_request_error" },
  context_length_exceeded: { status: 400, type: "invalid_request_error" },
  content_filter: { status: 400, type: "invalid_request_error" },
  rate_limit: { status: 429, type: "rate_limit_error" },
  quota_exhausted: { status: 402, type: "billing_error" },
  model_unavailable: { status: 404, type: "not_found_error" },
  server_error: { status: 500, type: "api_error" },
  overloaded: { status: 529, type: "overloaded_error" },
};

/** How the provider words what it has no type for. */
const WORDING: Readonly<Partial<Record<ErrorKind, string>>> = {
  context_length_exceeded: "prompt is too long",
  content_filter: "Output blocked by content filtering policy",
};

export const anthropicDialect: Dialect = {
  name: "anthropic",
  paths: ["/v1/messages", "/api/anthropic/v1/messages"],
  streamContentType: "text/event-stream; charset=utf-8",
  requestIdHeader: "request-id",
  hasRetryAfter: true,
  read: readAnthropicRequest,
  writeWhole: (head, events, end) => ({
    ...openMessage(head),
    content: writeContent(events),
    stop_reason: nameStop(end.finishReason),
    usage: { ...openMessage(head).usage, output_tokens: end.outputTokens },
  }),
  stream: (head) => new AnthropicStream(head),
  writeError(kind, message, requestId) {
    const { status, type } = ERRORS[kind];
    const wording = WORDING[kind];
    const text = wording === undefined ? message : `${wording} (${message})`;
    return { status, body: { type: "error", error: { type, message: text }, request_id: requestId } };
  },
  writeQuota: ({ requests, tokens }, wallMs) => ({
    ...writeLimit("requests", requests, wallMs),
    ...writeLimit("tokens", tokens, wallMs),
  }),
};

function writeLimit(unit: string, state: QuotaState | undefined, wallMs: number): Record<string, string> {
  if (state === undefined) return {};
  const name = `anthropic-ratelimit-${unit}`;
  return {
    [`${name}-limit`]: String(state.limitPerMinute),
    [`${name}-remaining`]: String(state.remainingCount),
    // RFC 3339, whole seconds.
    [`${name}-reset`]: new Date(Math.ceil((wallMs + state.fullInMs) / 1_000) * 1_000)
      .toISOString()
      .replace(".000Z", "Z"),
  };
}

function nameStop(reason: FinishReason): string {
  switch (reason) {
    case "length":
      return "max_tokens";
    case "tool_calls":
      return "tool_use";
    case "content_filter":
      return "refusal";
    case "stop":
    case "other":
      return "end_turn";
  }
}

function openMessage(head: AnswerHead) {
  return {
    id: `msg_${head.id}`,
    type: "message",
    role: "assistant",
    model: head.model,
    content: [] as readonly unknown[],
    stop_reason: null as string | null,
    stop_sequence: null,
    usage: {
      input_tokens: head.inputTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 1,
    },
  };
}

function writeContent(events: readonly GenerationEvent[]): readonly unknown[] {
  const { text, toolCalls } = gatherAnswer(events);
  return [
    ...(text === "" ? [] : [{ type: "text", text }]),
    ...toolCalls.map((call) => ({
      type: "tool_use",
      id: call.callId,
      name: call.name,
      input: parseArguments(call.arguments),
    })),
  ];
}

/** Arguments that the output limit cut are no JSON; a whole answer then has none. */
function parseArguments(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

class AnthropicStream implements StreamWriter {
  readonly #head: AnswerHead;
  /** The open block: `text`, a call's id, or undefined. */
  #open: string | undefined;
  #index = -1;

  constructor(head: AnswerHead) {
    this.#head = head;
  }

  begin(): string {
    return `${event("message_start", { message: openMessage(this.#head) })}${event("ping", {})}`;
  }

  write(batch: readonly GenerationEvent[]): string {
    return batch.map((each) => this.#writeEvent(each)).join("");
  }

  end(end: AnswerEnd): string {
    const delta = { stop_reason: nameStop(end.finishReason), stop_sequence: null };
    const usage = { output_tokens: end.outputTokens };
    return `${this.#close()}${event("message_delta", { delta, usage })}${event("message_stop", {})}`;
  }

  #writeEvent(each: GenerationEvent): string {
    if (each.kind === "text_delta") {
      const opening = this.#openBlock("text", { type: "text", text: "" });
      return opening + this.#delta({ type: "text_delta", text: each.text });
    }
    if (each.kind !== "tool_call_delta") return "";
    const block = { type: "tool_use", id: each.callId, name: each.name, input: {} };
    const opening = this.#openBlock(each.callId, block);
    return opening + this.#delta({ type: "input_json_delta", partial_json: each.argumentsDelta });
  }

  #openBlock(key: string, block: object): string {
    if (this.#open === key) return "";
    const closing = this.#close();
    this.#open = key;
    this.#index += 1;
    return closing + event("content_block_start", { index: this.#index, content_block: block });
  }

  #delta(delta: object): string {
    return event("content_block_delta", { index: this.#index, delta });
  }

  #close(): string {
    if (this.#open === undefined) return "";
    this.#open = undefined;
    return event("content_block_stop", { index: this.#index });
  }
}

function event(type: string, members: object): string {
  return writeSseEvent({ type, ...members }, type);
}
