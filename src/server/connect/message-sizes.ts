import type { PartCounter } from "../edge/part-counter.ts";

/** Flags and a big-endian length before each message (gRPC PROTOCOL-HTTP2; Connect protocol, Enveloped-Message). */
const PREFIX_BYTES = 5;

/** In the flags: the message is compressed. Its parts are counted when it is inflated. */
const COMPRESSED_FLAG = 1;

/**
 * Watches the sizes that messages announce, and the parts they have, while their bytes pass by, so that one
 * beyond a limit is refused before it is gathered.
 */
export class MessageSizes {
  readonly #maxBytes: number;
  readonly #enveloped: boolean;
  /** Bytes of the current prefix that were seen, and the length read from them so far. */
  #prefixBytes = 0;
  #length = 0;
  /** Bytes of the current message still to come. */
  #restBytes = 0;
  /** The current message with its prefix. */
  #messageBytes = 0;
  #totalBytes = 0;
  readonly #countParts: (() => PartCounter) | undefined;
  #counter: PartCounter | undefined;
  #isCompressed = false;

  /** Without envelopes the whole body is one message. `countParts` counts a message's parts; undefined leaves that to another. */
  constructor(maxBytes: number, enveloped: boolean, countParts?: () => PartCounter) {
    this.#maxBytes = maxBytes;
    this.#enveloped = enveloped;
    this.#countParts = countParts;
    if (!enveloped) this.#counter = countParts?.();
  }

  /** Bytes of a message, in an envelope, that has begun and is not complete. */
  get unfinishedBytes(): number {
    return this.#restBytes > 0 ? this.#messageBytes - this.#restBytes : this.#prefixBytes;
  }

  /** Takes the next bytes of a body. What is too large about a message, once that can be told. */
  accept(chunk: Uint8Array): "bytes" | "parts" | undefined {
    if (!this.#enveloped) {
      this.#totalBytes += chunk.byteLength;
      if (this.#totalBytes > this.#maxBytes) return "bytes";
      return this.#counter?.accept(chunk) === false ? "parts" : undefined;
    }
    let index = 0;
    while (index < chunk.byteLength) {
      const passed = Math.min(this.#restBytes, chunk.byteLength - index);
      if (passed > 0 && this.#counter?.accept(chunk.subarray(index, index + passed)) === false)
        return "parts";
      this.#restBytes -= passed;
      index += passed;
      if (this.#restBytes > 0 || index === chunk.byteLength) return undefined;
      if (this.#prefixBytes > 0) this.#length = this.#length * 256 + (chunk[index] ?? 0);
      else this.#isCompressed = ((chunk[index] ?? 0) & COMPRESSED_FLAG) !== 0;
      index++;
      if (++this.#prefixBytes === PREFIX_BYTES) {
        if (this.#length > this.#maxBytes) return "bytes";
        this.#counter = this.#isCompressed ? undefined : this.#countParts?.();
        this.#restBytes = this.#length;
        this.#messageBytes = PREFIX_BYTES + this.#length;
        this.#prefixBytes = 0;
        this.#length = 0;
      }
    }
    return undefined;
  }
}

/** Whether messages come in envelopes: in every protocol but Connect's unary one. */
export function isEnveloped(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/(?:grpc|connect\+)/i.test(contentType);
}
