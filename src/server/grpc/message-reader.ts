import { GrowingBuffer } from "../../lib/growing-buffer.ts";

/** Flags and a big-endian length before each message (gRPC PROTOCOL-HTTP2, Length-Prefixed-Message). */
const PREFIX_BYTES = 5;

/** What a piece that is not copied may keep in memory beside its own bytes: it is a part of what the socket was read into. */
const MAX_KEPT_BYTES = 8 * 1024;

/** What is wrong with a body. */
export type FramingProblem = "too large" | "compressed" | "incomplete" | "none" | "several";

/** Gathers the one message of a call from the pieces of its body. Takes no more memory than has come, whatever length is announced. */
export class MessageReader {
  readonly #maxBytes: number;
  /** A body that comes in one piece is not copied, unless it is a small part of much more. */
  #only: Buffer | undefined;
  #gathered: GrowingBuffer | undefined;
  /** With the prefix; undefined until that is there. */
  #totalBytes: number | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes the next bytes. What is wrong with them, as early as that can be told. */
  accept(chunk: Buffer): FramingProblem | undefined {
    const received = this.#add(chunk);
    if (this.#totalBytes === undefined && received.length >= PREFIX_BYTES) {
      if (received[0] !== 0) return "compressed";
      const length = received.readUInt32BE(1);
      if (length > this.#maxBytes) return "too large";
      this.#totalBytes = PREFIX_BYTES + length;
    }
    return this.#totalBytes !== undefined && received.length > this.#totalBytes ? "several" : undefined;
  }

  /** The bytes of the message once the body has ended, or what is wrong with it. */
  finish(): Uint8Array | FramingProblem {
    const received = this.#only ?? this.#gathered?.view();
    if (received === undefined) return "none";
    return received.length === this.#totalBytes ? received.subarray(PREFIX_BYTES) : "incomplete";
  }

  /** Everything that has come, `chunk` included. */
  #add(chunk: Buffer): Buffer {
    const keptBytes = chunk.buffer.byteLength - chunk.byteLength;
    if (this.#only === undefined && this.#gathered === undefined && keptBytes <= MAX_KEPT_BYTES) {
      this.#only = chunk;
      return chunk;
    }
    if (this.#gathered === undefined) {
      this.#gathered = new GrowingBuffer();
      if (this.#only !== undefined) this.#gathered.append(this.#only);
      this.#only = undefined;
    }
    this.#gathered.append(chunk);
    return this.#gathered.view();
  }
}
