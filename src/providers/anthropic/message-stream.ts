import type { GenerationEvent } from "../../domain/event.ts";
import type { ProviderEnd } from "../../domain/ports.ts";
import type { Usage } from "../../domain/usage.ts";
import { isRecord } from "../../lib/is-record.ts";
import { classifyErrorValue } from "../failures/classify-failure.ts";
import type { AnswerStream } from "../http/answer-stream.ts";
import { readText } from "../http/read-text.ts";
import type { SseConsumer } from "../http/sse-reader.ts";
import { isSameUsage } from "../http/usage-figures.ts";
import { ContentBlocks } from "./content-blocks.ts";
import { readFinishReason, WINDOW_FULL } from "./finish-reason.ts";
import { NO_COUNTS, toUsage, updateCounts } from "./read-usage.ts";

/** How a message is read. */
export interface MessageStreamOptions {
  readonly attemptId: string;
  readonly httpStatus: number;
}

const MAX_MODEL_NAME_LENGTH = 256;
const MAX_FINISH_REASON_LENGTH = 64;

type Members = Readonly<Record<string, unknown>>;

/**
 * Turns the events of one Anthropic message into ours. Events go by the `type` in
 * their data, which says the same as their name; unknown ones are passed over.
 */
export class MessageStream implements AnswerStream, SseConsumer {
  events: GenerationEvent[] = [];
  end: ProviderEnd | undefined;
  readonly #httpStatus: number;
  readonly #blocks: ContentBlocks;
  #model = "";
  #finishWord = "";
  #counts = NO_COUNTS;
  #usage: Usage | undefined;
  #hasMessage = false;

  constructor({ attemptId, httpStatus }: MessageStreamOptions) {
    this.#httpStatus = httpStatus;
    this.#blocks = new ContentBlocks(attemptId);
  }

  get isConcluded(): boolean {
    return this.#finishWord !== "";
  }

  takeEvent(): number {
    return -1;
  }

  onEvent(_name: string, data: string): boolean {
    if (data.trim() !== "") this.#readEvent(data);
    return this.end === undefined;
  }

  readWhole(json: string): void {
    this.#readEvent(json);
    if (this.end === undefined) this.endOfInput();
  }

  /** After a stop reason the lack of `message_stop` takes nothing from the answer; without one it was cut. */
  endOfInput(): void {
    if (this.#finishWord === "") this.interrupt();
    else this.#complete();
  }

  interrupt(): void {
    this.end ??= {
      kind: "failed",
      failure: { class: "stream_interrupted", httpStatus: this.#httpStatus },
    };
  }

  #readEvent(json: string): void {
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      value = undefined;
    }
    if (isRecord(value)) this.#readTyped(value);
    // A torn last event after the stop reason takes nothing from the answer.
    else if (this.#finishWord === "") this.interrupt();
  }

  #readTyped(value: Members): void {
    switch (value.type) {
      case "message_start":
        if (isRecord(value.message)) this.#readHead(value.message);
        break;
      case "content_block_start":
        if (!this.#blocks.start(value, this.events)) this.interrupt();
        break;
      case "content_block_delta":
        if (!this.#blocks.add(value, this.events)) this.interrupt();
        break;
      case "content_block_stop":
        if (!this.#blocks.stop(value, this.events)) this.interrupt();
        break;
      case "message_delta":
        this.#readUsage(value.usage);
        if (isRecord(value.delta)) this.#readFinish(value.delta);
        break;
      case "message_stop":
        this.#complete();
        break;
      case "message":
        this.#readMessage(value);
        break;
      default:
        // Gateways leave the type out of errors.
        if (value.type === "error" || (value.error !== undefined && value.error !== null)) {
          this.end ??= { kind: "failed", failure: classifyErrorValue(value, this.#httpStatus, "anthropic") };
        }
    }
  }

  /** A whole message, from a server that does not stream. */
  #readMessage(message: Members): void {
    this.#readHead(message);
    const blocks = Array.isArray(message.content) ? message.content : [];
    for (const [index, block] of blocks.entries()) {
      this.#readTyped({ type: "content_block_start", index, content_block: block });
      this.#readTyped({ type: "content_block_stop", index });
    }
    this.#readFinish(message);
  }

  #readHead(message: Members): void {
    this.#hasMessage = true;
    this.#model = readText(message.model).slice(0, MAX_MODEL_NAME_LENGTH).toWellFormed();
    this.#readUsage(message.usage);
  }

  #readFinish(members: Members): void {
    const word = readText(members.stop_reason).slice(0, MAX_FINISH_REASON_LENGTH).toWellFormed();
    if (word !== "") this.#finishWord = word;
    if (word === WINDOW_FULL && !this.#blocks.hasDeltas) {
      this.end ??= {
        kind: "failed",
        failure: { class: "context_length_exceeded", httpStatus: this.#httpStatus, providerCode: word },
      };
    }
  }

  #readUsage(value: unknown): void {
    this.#counts = updateCounts(this.#counts, value);
    const usage = toUsage(this.#counts);
    if (usage === undefined || isSameUsage(usage, this.#usage)) return;
    this.#usage = usage;
    this.events.push({ kind: "usage", usage });
  }

  #complete(): void {
    if (this.end !== undefined) return;
    if (!this.#hasMessage || !this.#blocks.close(this.events)) {
      this.interrupt();
      return;
    }
    this.end = {
      kind: "completed",
      finishReason: readFinishReason(this.#finishWord, this.#blocks.hasToolCalls),
      rawFinishReason: this.#finishWord,
      responseModel: this.#model,
    };
  }
}
