import { GrowingBuffer } from "../../lib/growing-buffer.ts";
import type { StreamReader } from "./answer-stream.ts";
import { MAX_EVENT_BYTES } from "./message-limits.ts";

const LF = 10;
const CR = 13;
const COLON = 58;
const SPACE = 32;
/** A UTF-8 byte order mark, read as latin1. */
const BOM = "\u00ef\u00bb\u00bf";

/** Takes what an `SseReader` finds. */
export interface SseConsumer {
  /**
   * Offers the whole rest of a read at the start of an event, before it is split
   * into lines. `text` is `bytes` as latin1, so that offsets are the same in both.
   * Returns where the first line after the event begins, or -1 to decline.
   */
  takeEvent(bytes: Buffer, text: string, start: number): number;
  /**
   * One event with data. `name` is its `event` field or empty. `raw` is the event's
   * bytes as latin1 with its blank line, when it was a single data line inside one
   * read, else empty. Returns false to stop the reader for good.
   */
  onEvent(name: string, data: string, raw: string): boolean;
}

/**
 * Splits bytes into server-sent events (WHATWG HTML 9.2.6), however they are cut:
 * LF, CR and CRLF, a byte order mark, comments, several data lines. Unlike the
 * standard, an event that lacks its last blank line counts at the end of input,
 * because model servers leave it out. Memory is bounded by `MAX_EVENT_BYTES`.
 */
export class SseReader implements StreamReader {
  readonly #consumer: SseConsumer;
  /** The start of a line whose end has not come. */
  readonly #carry = new GrowingBuffer();
  #isFirstLine = true;
  /** The last line ended in CR at the end of a read: an LF right after it belongs to it. */
  #skipsLf = false;
  #stopped = false;
  #name = "";
  #data: string | undefined;
  #dataBytes = 0;
  /** Lines of the event so far. */
  #lineCount = 0;

  constructor(consumer: SseConsumer) {
    this.#consumer = consumer;
  }

  /** Reads on. Returns false when a line or an event is too large; the reader is of no use then. */
  push(chunk: Buffer): boolean {
    if (this.#stopped || chunk.length === 0) return true;
    if (this.#carry.lengthBytes === 0) return this.#read(chunk);
    this.#carry.append(chunk);
    if (!chunk.includes(LF) && !chunk.includes(CR)) return this.#carry.lengthBytes <= MAX_EVENT_BYTES;
    const bytes = this.#carry.view();
    this.#carry.clear();
    return this.#read(bytes);
  }

  /** Tells that no more bytes come: hands over what is left. */
  finish(): boolean {
    if (this.#stopped) return true;
    if (this.#carry.lengthBytes > 0) {
      const bytes = this.#carry.view();
      this.#carry.clear();
      if (!this.#readLine(bytes, bytes.toString("latin1"), 0, bytes.length)) return false;
    }
    if (!this.#stopped) this.#endEvent("");
    this.#stopped = true;
    return true;
  }

  #read(bytes: Buffer): boolean {
    const text = bytes.toString("latin1");
    let at = this.#skipsLf && text.charCodeAt(0) === LF ? 1 : 0;
    this.#skipsLf = false;
    let lf = -1;
    let cr = -1;
    let eventStart = this.#lineCount === 0 ? at : -1;
    while (at < text.length) {
      if (eventStart === at) {
        const next = this.#consumer.takeEvent(bytes, text, at);
        if (next !== -1) {
          at = next;
          eventStart = next;
          continue;
        }
      }
      if (lf < at) lf = indexOrEnd(text, "\n", at);
      if (cr < at) cr = indexOrEnd(text, "\r", at);
      const end = Math.min(lf, cr);
      if (end === Number.POSITIVE_INFINITY) break;
      const lineStart = at;
      at = end + 1;
      if (end === cr) {
        if (lf === at) at += 1;
        else this.#skipsLf = at === text.length;
      }
      if (lineStart < end) {
        if (!this.#readLine(bytes, text, lineStart, end)) return false;
        continue;
      }
      const isWhole = eventStart !== -1 && this.#lineCount === 1;
      this.#endEvent(isWhole ? text.slice(eventStart, at) : "");
      if (this.#stopped) return true;
      eventStart = at;
    }
    if (at < text.length) this.#carry.append(bytes.subarray(at));
    return this.#carry.lengthBytes <= MAX_EVENT_BYTES;
  }

  #readLine(bytes: Buffer, text: string, lineStart: number, end: number): boolean {
    let start = lineStart;
    if (this.#isFirstLine) {
      this.#isFirstLine = false;
      if (text.startsWith(BOM, start)) start += BOM.length;
    }
    this.#lineCount += 1;
    if (isField(text, "data", start, end)) {
      const from = skipSpace(text, Math.min(start + 5, end), end);
      this.#dataBytes += end - from + 1;
      if (this.#dataBytes > MAX_EVENT_BYTES) return false;
      const value = bytes.toString("utf8", from, end);
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    } else if (isField(text, "event", start, end)) {
      this.#name = bytes.toString("utf8", skipSpace(text, Math.min(start + 6, end), end), end);
    }
    return true;
  }

  #endEvent(raw: string): void {
    const name = this.#name;
    const data = this.#data;
    this.#name = "";
    this.#data = undefined;
    this.#dataBytes = 0;
    this.#lineCount = 0;
    if (data !== undefined && !this.#consumer.onEvent(name, data, raw)) this.#stopped = true;
  }
}

function indexOrEnd(text: string, character: string, from: number): number {
  const index = text.indexOf(character, from);
  return index === -1 ? Number.POSITIVE_INFINITY : index;
}

/** Whether the line is the field `name`, with or without a colon after it. */
function isField(text: string, name: string, start: number, end: number): boolean {
  const after = start + name.length;
  return after <= end && text.startsWith(name, start) && (after === end || text.charCodeAt(after) === COLON);
}

function skipSpace(text: string, start: number, end: number): number {
  return start < end && text.charCodeAt(start) === SPACE ? start + 1 : start;
}
