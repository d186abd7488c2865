import type { GenerationEvent } from "../../domain/event.ts";
import type { ProviderEnd } from "../../domain/ports.ts";
import { GrowingBuffer } from "../../lib/growing-buffer.ts";
import type { AnswerStream, StreamReader } from "./answer-stream.ts";
import { MAX_EVENT_BYTES } from "./message-limits.ts";

/** The most bytes a whole answer may have. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** 1 for bytes before the first that says what the body is: a byte order mark, blanks and line ends. */
const LEADING_BYTES = new Uint8Array(256);
for (const byte of [0xef, 0xbb, 0xbf, 0x20, 0x09, 0x0a, 0x0d]) LEADING_BYTES[byte] = 1;
const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;
const LESS_THAN = 0x3c;

/** What an `AnswerDecoder` is made of. */
export interface AnswerParts {
  readonly stream: AnswerStream;
  /** Feeds `stream`. */
  readonly reader: StreamReader;
  readonly httpStatus: number;
  /** How a stream is split: a body that begins with `{` is one JSON answer in server-sent events, a line in NDJSON. */
  readonly framing: "sse" | "ndjson";
}

/**
 * Understands the body of a successful answer. Its first byte tells what it is, since
 * servers' content types cannot be trusted: server-sent events never begin with `{`,
 * `[` or `<`, so these mean one JSON answer and a page of HTML.
 */
export class AnswerDecoder {
  readonly #stream: AnswerStream;
  readonly #reader: StreamReader;
  readonly #httpStatus: number;
  readonly #framing: AnswerParts["framing"];
  #form: "unknown" | "stream" | "json" = "unknown";
  readonly #json = new GrowingBuffer();
  #answerBytes = 0;
  #pageEnd: ProviderEnd | undefined;

  constructor({ stream, reader, httpStatus, framing }: AnswerParts) {
    this.#stream = stream;
    this.#reader = reader;
    this.#httpStatus = httpStatus;
    this.#framing = framing;
  }

  /** How the answer ended, once it has. */
  get end(): ProviderEnd | undefined {
    return this.#pageEnd ?? this.#stream.end;
  }

  /** Whether the answer is whole but for a closing mark that the server may yet send, or never. */
  get isConcluded(): boolean {
    return this.end === undefined && this.#stream.isConcluded === true;
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
      this.#stream.endOfInput();
      return;
    }
    if (this.#form === "unknown") this.#recognise(chunk);
    if (this.#form === "json") this.#keep(chunk);
    // What is too large to be read ends the answer like a cut, which takes nothing from a whole one.
    else if (this.end === undefined && !this.#reader.push(chunk)) this.#stream.endOfInput();
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
    this.#reader.finish();
    this.#stream.endOfInput();
  }

  #recognise(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && LEADING_BYTES[chunk[at] ?? 0] === 1) at += 1;
    if (at === chunk.length) return;
    const byte = chunk[at];
    const isJson = byte === OPENING_BRACE || byte === OPENING_BRACKET;
    this.#form = isJson && this.#framing === "sse" ? "json" : "stream";
    if (byte === LESS_THAN) {
      this.#pageEnd = { kind: "failed", failure: { class: "server_error", httpStatus: this.#httpStatus } };
    }
  }

  #keep(chunk: Buffer): void {
    this.#json.append(chunk);
    if (this.#json.lengthBytes > MAX_EVENT_BYTES) this.#stream.interrupt();
  }
}
