/** Ollama's native chat (github.com/ollama/ollama docs/api.md): one JSON object a line, times in nanoseconds. */

import type { GenerationEvent } from "../../domain/event.ts";
import type { ResponseFormat } from "../../domain/request.ts";
import { isRecord } from "../../lib/is-record.ts";
import type { AnswerEnd, AnswerHead, Dialect, ErrorKind, ReadAsk, StreamWriter } from "../dialect.ts";
import { BadField, readFlag, readObject, readText, readTexts } from "../field-reader.ts";
import { gatherAnswer } from "../gather-answer.ts";
import { makeAsk } from "../make-ask.ts";
import { readChatMessages, readChatTools } from "../read-chat-messages.ts";

const STATUS: Readonly<Record<ErrorKind, number>> = {
  auth: 401,
  invalid_request: 400,
  context_length_exceeded: 400,
  content_filter: 400,
  rate_limit: 429,
  quota_exhausted: 429,
  model_unavailable: 404,
  server_error: 500,
  overloaded: 503,
};

/** How Ollama words what clients recognise by its text alone. */
const WORDING: Readonly<Partial<Record<ErrorKind, string>>> = {
  overloaded: "server busy, please try again. maximum pending requests exceeded",
  context_length_exceeded: "input length exceeds maximum context length",
};

const NS_PER_MS = 1_000_000;

export const ollamaDialect: Dialect = {
  name: "ollama",
  paths: ["/api/chat"],
  streamContentType: "application/x-ndjson",
  requestIdHeader: undefined,
  hasRetryAfter: false,
  read: readOllamaRequest,
  writeWhole: (head, events, end) => ({
    ...writeLine(head, writeMessage(events)),
    ...writeEnd(head, end),
  }),
  stream: (head) => new OllamaStream(head),
  writeError(kind, message) {
    const wording = WORDING[kind];
    return {
      status: STATUS[kind],
      body: { error: wording === undefined ? message : `${wording} (${message})` },
    };
  },
  writeQuota: () => ({}),
};

function readOllamaRequest(body: unknown): ReadAsk {
  return makeAsk(() => {
    const chat = readObject(body, "the body");
    const options = chat.options === undefined ? {} : readObject(chat.options, "options");
    const responseFormat = readFormat(chat.format);
    return {
      model: readText(chat.model, "model"),
      isStream: readFlag(chat.stream, "stream", true),
      includesUsage: true,
      messages: readChatMessages(chat.messages),
      sampling: {
        stopSequences: readTexts(options.stop, "options.stop"),
        // 0 and negative numbers mean no limit here.
        ...(typeof options.num_predict === "number" && options.num_predict >= 1
          ? { maxOutputTokens: Math.floor(options.num_predict) }
          : {}),
      },
      tools: readChatTools(chat.tools),
      ...(responseFormat === undefined ? {} : { responseFormat }),
    };
  });
}

function readFormat(value: unknown): ResponseFormat | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (value === "json") return { kind: "json_object" };
  if (isRecord(value)) return { kind: "json_schema", name: "format", schema: value, strict: true };
  throw new BadField('format is unknown; right would be "json" or a JSON Schema');
}

function writeLine(head: AnswerHead, message: object) {
  const created_at = new Date(head.createdSeconds * 1_000).toISOString();
  return { model: head.model, created_at, message, done: false };
}

function writeMessage(events: readonly GenerationEvent[]) {
  const { text, toolCalls } = gatherAnswer(events);
  const calls = toolCalls.map((call) => ({
    function: { name: call.name, arguments: parseArguments(call.arguments) },
  }));
  return { role: "assistant", content: text, ...(calls.length === 0 ? {} : { tool_calls: calls }) };
}

function parseArguments(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The output limit cut them; Ollama drops such calls' arguments.
    return {};
  }
}

function writeEnd(head: AnswerHead, end: AnswerEnd) {
  const totalNs = Math.round(end.totalMs * NS_PER_MS);
  return {
    done: true,
    // Calls of tools end with `stop` here as well.
    done_reason: end.finishReason === "length" ? "length" : "stop",
    total_duration: totalNs,
    load_duration: 0,
    prompt_eval_count: head.inputTokens,
    prompt_eval_duration: 0,
    eval_count: end.outputTokens,
    eval_duration: totalNs,
  };
}

class OllamaStream implements StreamWriter {
  readonly #head: AnswerHead;
  #openCall: GenerationEvent[] = [];

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
    const last = writeLine(this.#head, { role: "assistant", content: "" });
    return `${JSON.stringify({ ...last, ...writeEnd(this.#head, end) })}\n`;
  }

  #writeEvent(event: GenerationEvent): string {
    if (event.kind === "text_delta") return this.#line([event]);
    if (event.kind !== "tool_call_delta") return "";
    this.#openCall.push(event);
    if (!event.last) return "";
    const pieces = this.#openCall;
    this.#openCall = [];
    return this.#line(pieces);
  }

  #line(events: readonly GenerationEvent[]): string {
    return `${JSON.stringify(writeLine(this.#head, writeMessage(events)))}\n`;
  }
}
