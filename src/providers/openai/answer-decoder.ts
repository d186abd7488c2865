import type { GenerationEvent } from "../../domain/event.ts";
import type { ProviderEnd } from "../../domain/ports.ts";
import { GrowingBuffer } from "../../lib/growing-buffer.ts";
import { ChatStream, type ChatStreamOptions } from "./chat-stream.ts";
import { MAX_EVENT_BYTES, SseReader } from "./sse-reader.ts";

/** The most bytes a whole answer may have. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Bytes before the first that says what the body is: a byte order mark, blanks and line ends. */
const LEADING_BYTES: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf, 0x20, 0x09, 0x0a, 0x0d]);
const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;
const LESS_THAN = 0x3c;

/**
 * Understands the body of a successful answer. Its first byte tells what it is, since
 * servers' content types cannot be trusted: server-sent events never begin with `{`,
 * `[` or `<`, so these mean one JSON answer and a page of HTML.
 */
export class AnswerDecoder {
  readonly #stream: ChatStream;
  readonly #sse: SseReader;
  readonly #httpStatus: number;
  #form: "unknown" | "events" | "json" = "unknown";
  readonly #json = new GrowingBuffer();
  #answerBytes = 0;
  #pageEnd: ProviderEnd | undefined;

  constructor(options: ChatStreamOptions) {
    this.#httpStatus = options.httpStatus;
    this.#stream = new ChatStream(options);
    this.#sse = new SseReader(this.#stream);
  }

  /** How the answer ended, once it has. */
  get end(): ProviderEnd | undefined {
    return this.#pageEnd ?? this.#stream.end;
  }

  /** Whether events are waiting to be taken. */
  get hasEvents(): boolean {
    return this.#stream.events.length > 0;
  }

  /** Takes the events understood since the last time. */
  takeEvents(): readonly GenerationEvent[] {
    const { events } = this.#stream;
    this.#stream.events = [];
    return events;
  }

  /** Reads a piece of the body; does nothing after the end. */
  push(chunk: Buffer): void {
    if (this.end !== undefined) return;
    this.#answerBytes += chunk.length;
    if (this.#answerBytes > MAX_ANSWER_BYTES) {
      this.#stream.interrupt();
      return;
    }
    if (this.#form === "unknown") this.#recognise(chunk);
    if (this.#form === "json") this.#keep(chunk);
    else if (this.end === undefined && !this.#sse.push(chunk)) this.#stream.interrupt();
  }

  /** Tells that the body is over, whether it was closed or cut: what came decides. */
  finish(): void {
    if (this.end !== undefined) return;
    if (this.#form === "json") {
      this.#stream.readWhole(
        this.#json
          .view()
          .toString("utf8")
          .replace(/^\uFEFF/, ""),
      );
      return;
    }
    if (this.#sse.finish()) this.#stream.endOfInput();
    else this.#stream.interrupt();
  }

  #recognise(chunk: Buffer): void {
    const byte = chunk.find((value) => !LEADING_BYTES.has(value));
    if (byte === undefined) return;
    this.#form = byte === OPENING_BRACE || byte === OPENING_BRACKET ? "json" : "events";
    if (byte === LESS_THAN) {
      this.#pageEnd = { kind: "failed", failure: { class: "server_error", httpStatus: this.#httpStatus } };
    }
  }

  #keep(chunk: Buffer): void {
    this.#json.append(chunk);
    if (this.#json.lengthBytes > MAX_EVENT_BYTES) this.#stream.interrupt();
  }
}
