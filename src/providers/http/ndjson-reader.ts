import { GrowingBuffer } from "../../lib/growing-buffer.ts";
import type { StreamReader } from "./answer-stream.ts";
import { MAX_EVENT_BYTES } from "./message-limits.ts";

const LF = 10;
const CR = 13;

/** Takes what an `NdjsonReader` finds: one line that is not blank. Returns false to stop the reader for good. */
export type LineConsumer = (line: string) => boolean;

/**
 * Splits bytes into lines of JSON, however they are cut: LF and CRLF, a byte order
 * mark, blank lines, a last line without its end. Memory is bounded by `MAX_EVENT_BYTES`.
 */
export class NdjsonReader implements StreamReader {
  readonly #onLine: LineConsumer;
  /** The start of a line whose end has not come. */
  readonly #carry = new GrowingBuffer();
  #stopped = false;

  constructor(onLine: LineConsumer) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): boolean {
    let at = 0;
    while (!this.#stopped) {
      // Blank lines are passed over byte by byte: a server may send them without end.
      if (this.#carry.lengthBytes === 0) while (chunk[at] === LF || chunk[at] === CR) at += 1;
      const end = chunk.indexOf(LF, at);
      if (end === -1) break;
      if (!this.#readLine(chunk.subarray(at, end))) return false;
      at = end + 1;
    }
    if (this.#stopped) return true;
    if (at < chunk.length) this.#carry.append(chunk.subarray(at));
    return this.#carry.lengthBytes <= MAX_EVENT_BYTES;
  }

  finish(): boolean {
    const isRead = this.#stopped || this.#readLine(Buffer.alloc(0));
    this.#stopped = true;
    return isRead;
  }

  #readLine(rest: Buffer): boolean {
    let bytes = rest;
    if (this.#carry.lengthBytes > 0) {
      this.#carry.append(rest);
      bytes = this.#carry.view();
      this.#carry.clear();
    }
    if (bytes.length > MAX_EVENT_BYTES) return false;
    // A byte order mark counts as white space.
    const line = bytes.toString("utf8").trim();
    if (line !== "" && !this.#onLine(line)) this.#stopped = true;
    return true;
  }
}
