/**
 * The chunks of a streamed answer as server-sent events (WHATWG HTML, 9.2). The fixed
 * parts are made once and text is put between them, because this runs for every token.
 */

import type { RouteResult } from "../domain/attempt.ts";
import type { GenerationEvent } from "../domain/event.ts";
import type { AnswerHead } from "./answer-head.ts";
import { encodeExtension } from "./encode-extension.ts";
import { encodeFinish, encodeUsage } from "./finish.ts";

/** What ends a whole stream, and nothing else. */
const DONE = "data: [DONE]\n\n";

/** Encodes one answer of one model. Keeps the numbers of its tool calls. */
export class ChunkEncoder {
  readonly #head: AnswerHead;
  readonly #prefix: string;
  readonly #usageNull: string;
  readonly #deltaSuffix: string;
  /** By call id. */
  readonly #callIndexes = new Map<string, number>();

  constructor(head: AnswerHead, model: string) {
    this.#head = head;
    this.#prefix =
      `data: {"id":"${head.id}","object":"chat.completion.chunk","created":${head.createdSeconds}` +
      `,"model":${JSON.stringify(model)},"choices":[`;
    this.#usageNull = head.form.includesUsage ? ',"usage":null' : "";
    this.#deltaSuffix = `},"logprobs":null,"finish_reason":null}]${this.#usageNull}}\n\n`;
  }

  /** The chunk that comes first and names the role. */
  encodeStart(): string {
    return this.#wrap('"role":"assistant","content":""');
  }

  /** One chunk for each event that OpenAI has a form for. May be empty. */
  encodeEvents(batch: readonly GenerationEvent[]): string {
    let text = "";
    for (const event of batch) {
      if (event.kind === "text_delta") text += this.#wrap(`"content":${JSON.stringify(event.text)}`);
      else if (event.kind === "reasoning_delta") {
        text += this.#wrap(`"reasoning_content":${JSON.stringify(event.text)}`);
      } else if (event.kind === "tool_call_delta") text += this.#encodeCall(event);
    }
    return text;
  }

  /** The closing chunks: why it ended, usage where asked for and known, and the end mark. */
  encodeEnd(result: RouteResult): string {
    const { isLegacy, includesUsage } = this.#head.form;
    const usage = includesUsage ? encodeUsage(result.usage) : undefined;
    return (
      `${this.#prefix}{"index":0,"delta":{},"logprobs":null,${encodeFinish(result, isLegacy)}}]` +
      `${this.#usageNull}${encodeExtension(result)}}\n\n` +
      `${usage === undefined ? "" : `${this.#prefix}],"usage":${usage}}\n\n`}${DONE}`
    );
  }

  #encodeCall(event: Extract<GenerationEvent, { kind: "tool_call_delta" }>): string {
    const { isLegacy, isSingleCall } = this.#head.form;
    const known = this.#callIndexes.get(event.callId);
    const index = known ?? this.#callIndexes.size;
    if (known === undefined) this.#callIndexes.set(event.callId, index);
    if (isSingleCall && index > 0) return "";
    // The last piece of a call is often empty; OpenAI has no mark for the end of a call.
    if (known !== undefined && event.argumentsDelta === "" && event.thoughtSignature === undefined) return "";
    const name = known === undefined ? `"name":${JSON.stringify(event.name)},` : "";
    const called = `{${name}"arguments":${JSON.stringify(event.argumentsDelta)}}`;
    if (isLegacy) return this.#wrap(`"function_call":${called}`);
    const opening = known === undefined ? `"id":${JSON.stringify(event.callId)},"type":"function",` : "";
    const signed = encodeSignature(event.thoughtSignature);
    return this.#wrap(`"tool_calls":[{"index":${index},${opening}"function":${called}${signed}}]`);
  }

  #wrap(delta: string): string {
    return `${this.#prefix}{"index":0,"delta":{${delta}${this.#deltaSuffix}`;
  }
}

/** In the place where Gemini's own endpoint has it. */
function encodeSignature(signature: string | undefined): string {
  if (signature === undefined) return "";
  return `,"extra_content":{"google":{"thought_signature":${JSON.stringify(signature)}}}`;
}
