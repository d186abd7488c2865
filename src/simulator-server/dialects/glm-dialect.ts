/**
 * Zhipu's and Z.ai's chat completions: like OpenAI's but for digits as error codes, calls
 * that come whole, usage beside the finish reason, and no header that tells a limit.
 */

import type { GenerationEvent } from "../../domain/event.ts";
import type { AnswerEnd, AnswerHead, Dialect, ErrorKind, StreamWriter } from "../dialect.ts";
import { gatherAnswer } from "../gather-answer.ts";
import {
  nameChatFinish,
  writeChatToolCall,
  writeChatUsage,
  writeChunk,
  writeCompletion,
} from "./chat-completion.ts";
import { readChatRequest } from "./read-chat-request.ts";
import { writeSseEvent } from "./sse.ts";

const ERRORS: Readonly<Record<ErrorKind, { status: number; code: string }>> = {
  auth: { status: 401, code: "1000" },
  invalid_request: { status: 400, code: "1210" },
  context_length_exceeded: { status: 400, code: "1261" },
  content_filter: { status: 400, code: "1301" },
  rate_limit: { status: 429, code: "1302" },
  quota_exhausted: { status: 429, code: "1113" },
  model_unavailable: { status: 400, code: "1211" },
  server_error: { status: 500, code: "500" },
  overloaded: { status: 429, code: "1305" },
};

export const glmDialect: Dialect = {
  name: "glm",
  paths: ["/api/paas/v4/chat/completions", "/api/coding/paas/v4/chat/completions"],
  streamContentType: "text/event-stream;charset=UTF-8",
  requestIdHeader: undefined,
  hasRetryAfter: false,
  read: readChatRequest,
  writeWhole: (head, events, end) => {
    const whole = writeCompletion(head, events, end);
    const finish_reason = nameFinish(end);
    return {
      ...whole,
      id: head.id,
      request_id: head.id,
      choices: whole.choices.map((choice) => ({ ...choice, finish_reason })),
    };
  },
  stream: (head) => new GlmStream(head),
  writeError(kind, message, requestId) {
    const { status, code } = ERRORS[kind];
    return { status, body: { error: { code, message }, request_id: requestId } };
  },
  writeQuota: () => ({}),
};

function nameFinish({ finishReason }: AnswerEnd): string {
  return finishReason === "content_filter" ? "sensitive" : nameChatFinish(finishReason);
}

class GlmStream implements StreamWriter {
  readonly #head: AnswerHead;
  #openCall: GenerationEvent[] = [];
  #callCount = 0;

  constructor(head: AnswerHead) {
    this.#head = head;
  }

  begin(): string {
    return "";
  }

  write(batch: readonly GenerationEvent[]): string {
    return batch.map((event) => this.#writeEvent(event)).join("");
  }

  end(end: AnswerEnd): string {
    const choice = { index: 0, finish_reason: nameFinish(end), delta: { role: "assistant", content: "" } };
    const usage = writeChatUsage(this.#head, end);
    return `${writeSseEvent({ ...writeChunk(this.#head, [choice]), usage })}data: [DONE]\n\n`;
  }

  #writeEvent(event: GenerationEvent): string {
    if (event.kind === "text_delta") return this.#chunk({ role: "assistant", content: event.text });
    if (event.kind !== "tool_call_delta") return "";
    this.#openCall.push(event);
    if (!event.last) return "";
    const calls = gatherAnswer(this.#openCall).toolCalls;
    this.#openCall = [];
    return calls
      .map((call) => this.#chunk({ tool_calls: [{ index: this.#callCount++, ...writeChatToolCall(call) }] }))
      .join("");
  }

  #chunk(delta: object): string {
    return writeSseEvent(writeChunk(this.#head, [{ index: 0, delta }]));
  }
}
