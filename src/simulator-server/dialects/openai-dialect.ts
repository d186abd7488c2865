/** OpenAI's chat completions (platform.openai.com/docs/api-reference/chat). */

import type { GenerationEvent } from "../../domain/event.ts";
import type { QuotaState } from "../../providers/simulator/quota-bucket.ts";
import type { AnswerHead, Dialect, ErrorKind, StreamWriter } from "../dialect.ts";
import { nameChatFinish, writeChatUsage, writeChunk, writeCompletion } from "./chat-completion.ts";
import { ChatStreamDeltas } from "./chat-stream-deltas.ts";
import { readChatRequest } from "./read-chat-request.ts";
import { writeSseEvent } from "./sse.ts";

const ERRORS: Readonly<Record<ErrorKind, { status: number; type: string; code: string | null }>> = {
  auth: { status: 401, type: "invalid_request_error", code: "invalid_api_key" },
  invalid_request: { status: 400, type: "invalid_request_error", code: null },
  context_length_exceeded: { status: 400, type: "invalid_request_error", code: "context_length_exceeded" },
  content_filter: { status: 400, type: "invalid_request_error", code: "content_policy_violation" },
  rate_limit: { status: 429, type: "requests", code: "rate_limit_exceeded" },
  quota_exhausted: { status: 429, type: "insufficient_quota", code: "insufficient_quota" },
  model_unavailable: { status: 404, type: "invalid_request_error", code: "model_not_found" },
  server_error: { status: 500, type: "server_error", code: null },
  overloaded: { status: 503, type: "service_unavailable_error", code: "overloaded" },
};

export const openAiDialect: Dialect = {
  name: "openai",
  paths: ["/v1/chat/completions"],
  streamContentType: "text/event-stream; charset=utf-8",
  requestIdHeader: "x-request-id",
  hasRetryAfter: true,
  read: readChatRequest,
  writeWhole: writeCompletion,
  stream: (head) => new OpenAiStream(head),
  writeError(kind, message) {
    const { status, type, code } = ERRORS[kind];
    return { status, body: { error: { message, type, param: null, code } } };
  },
  writeQuota: ({ requests, tokens }) => ({
    ...writeLimit("requests", requests),
    ...writeLimit("tokens", tokens),
  }),
};

function writeLimit(unit: string, state: QuotaState | undefined): Record<string, string> {
  if (state === undefined) return {};
  return {
    [`x-ratelimit-limit-${unit}`]: String(state.limitPerMinute),
    [`x-ratelimit-remaining-${unit}`]: String(state.remainingCount),
    // Go's notation of a duration, as OpenAI writes it.
    [`x-ratelimit-reset-${unit}`]: `${Math.ceil(state.fullInMs)}ms`,
  };
}

class OpenAiStream implements StreamWriter {
  readonly #head: AnswerHead;
  readonly #deltas = new ChatStreamDeltas();

  constructor(head: AnswerHead) {
    this.#head = head;
  }

  begin(): string {
    return this.#chunk({ role: "assistant", content: "" });
  }

  write(batch: readonly GenerationEvent[]): string {
    return batch.map((event) => this.#writeEvent(event)).join("");
  }

  end(end: Parameters<StreamWriter["end"]>[0]): string {
    const last = this.#chunk({}, nameChatFinish(end.finishReason));
    const usage = this.#head.includesUsage
      ? writeSseEvent(writeChunk(this.#head, [], { usage: writeChatUsage(this.#head, end) }))
      : "";
    return `${last}${usage}data: [DONE]\n\n`;
  }

  #writeEvent(event: GenerationEvent): string {
    const delta = this.#deltas.write(event);
    return delta === undefined ? "" : this.#chunk(delta);
  }

  #chunk(delta: object, finishReason: string | null = null): string {
    return writeSseEvent(writeChunk(this.#head, [{ index: 0, delta, finish_reason: finishReason }]));
  }
}
