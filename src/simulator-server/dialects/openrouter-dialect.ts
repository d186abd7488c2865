/**
 * OpenRouter's chat completions (openrouter.ai/docs): OpenAI's but for comments while nothing is ready, words of its own as
 * kinds of errors, and usage with the cost, unasked, beside the finish reason told a second time.
 */

import type { GenerationEvent } from "../../domain/event.ts";
import type { AnswerEnd, AnswerHead, Dialect, ErrorKind, StreamWriter } from "../dialect.ts";
import { nameChatFinish, writeChatUsage, writeChunk, writeCompletion } from "./chat-completion.ts";
import { ChatStreamDeltas } from "./chat-stream-deltas.ts";
import { readChatRequest } from "./read-chat-request.ts";
import { writeSseEvent } from "./sse.ts";

const ERRORS: Readonly<Record<ErrorKind, { status: number; type: string }>> = {
  auth: { status: 401, type: "authentication" },
  invalid_request: { status: 400, type: "invalid_request" },
  context_length_exceeded: { status: 400, type: "context_length_exceeded" },
  content_filter: { status: 403, type: "content_policy_violation" },
  rate_limit: { status: 429, type: "rate_limit_exceeded" },
  quota_exhausted: { status: 402, type: "payment_required" },
  model_unavailable: { status: 404, type: "not_found" },
  server_error: { status: 500, type: "server" },
  overloaded: { status: 529, type: "provider_overloaded" },
};

const HOST = { provider: "Simulation" } as const;
const WAITING = ": OPENROUTER PROCESSING\n\n";
const NANO_PER_UNIT = 1e9;

export const openRouterDialect: Dialect = {
  name: "openrouter",
  paths: ["/api/v1/chat/completions"],
  streamContentType: "text/event-stream",
  requestIdHeader: "x-generation-id",
  hasRetryAfter: true,
  read: readChatRequest,
  writeWhole(head, events, end) {
    const whole = writeCompletion(head, events, end);
    const native = { native_finish_reason: nameChatFinish(end.finishReason) };
    return {
      ...whole,
      ...HOST,
      id: nameGeneration(head),
      choices: whole.choices.map((choice) => ({ ...choice, ...native })),
      usage: writeUsage(head, end),
    };
  },
  stream: (head) => new OpenRouterStream(head),
  writeError(kind, message) {
    const { status, type } = ERRORS[kind];
    return { status, body: { error: { code: status, message, metadata: { error_type: type } } } };
  },
  writeQuota: () => ({}),
};

function nameGeneration({ id }: AnswerHead): string {
  return `gen-${id}`;
}

/** Credits are US dollars. */
function writeUsage(head: AnswerHead, end: AnswerEnd) {
  const cost = end.costNanoUsd / NANO_PER_UNIT;
  return {
    ...writeChatUsage(head, end),
    cost,
    is_byok: false,
    cost_details: { upstream_inference_cost: cost },
  };
}

class OpenRouterStream implements StreamWriter {
  readonly #head: AnswerHead;
  readonly #deltas = new ChatStreamDeltas();

  constructor(head: AnswerHead) {
    this.#head = head;
  }

  begin(): string {
    return WAITING;
  }

  write(batch: readonly GenerationEvent[]): string {
    return batch.map((event) => this.#writeEvent(event)).join("");
  }

  end(end: AnswerEnd): string {
    const finish = nameChatFinish(end.finishReason);
    const last = this.#chunk({ content: "" }, finish);
    return `${last}${this.#chunk({ content: "" }, finish, { usage: writeUsage(this.#head, end) })}data: [DONE]\n\n`;
  }

  #writeEvent(event: GenerationEvent): string {
    const delta = this.#deltas.write(event);
    return delta === undefined ? "" : this.#chunk(delta);
  }

  #chunk(delta: object, finish: string | null = null, more: object = {}): string {
    const choice = {
      index: 0,
      delta: { role: "assistant", ...delta },
      finish_reason: finish,
      native_finish_reason: finish,
    };
    const chunk = writeChunk(this.#head, [choice], { ...HOST, ...more });
    return writeSseEvent({ ...chunk, id: nameGeneration(this.#head) });
  }
}
