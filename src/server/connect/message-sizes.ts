/** Flags and a big-endian length before each message (gRPC PROTOCOL-HTTP2; Connect protocol, Enveloped-Message). */
const PREFIX_BYTES = 5;

/**
 * Watches the sizes that messages announce while their bytes pass by, so that one
 * beyond the limit is refused before it is gathered.
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

  /** Without envelopes the whole body is one message. */
  constructor(maxBytes: number, enveloped: boolean) {
    this.#maxBytes = maxBytes;
    this.#enveloped = enveloped;
  }

  /** Bytes of a message, in an envelope, that has begun and is not complete. */
  get unfinishedBytes(): number {
    return this.#restBytes > 0 ? this.#messageBytes - this.#restBytes : this.#prefixBytes;
  }

  /** Takes the next bytes of a body. False when a message is larger than the limit. */
  accept(chunk: Uint8Array): boolean {
    if (!this.#enveloped) {
      this.#totalBytes += chunk.byteLength;
      return this.#totalBytes <= this.#maxBytes;
    }
    let index = 0;
    while (index < chunk.byteLength) {
      const skipped = Math.min(this.#restBytes, chunk.byteLength - index);
      this.#restBytes -= skipped;
      index += skipped;
      if (this.#restBytes > 0 || index === chunk.byteLength) return true;
      if (this.#prefixBytes > 0) this.#length = this.#length * 256 + (chunk[index] ?? 0);
      index++;
      if (++this.#prefixBytes === PREFIX_BYTES) {
        if (this.#length > this.#maxBytes) return false;
        this.#restBytes = this.#length;
        this.#messageBytes = PREFIX_BYTES + this.#length;
        this.#prefixBytes = 0;
        this.#length = 0;
      }
    }
    return true;
  }
}

/** Whether messages come in envelopes: in every protocol but Connect's unary one. */
export function isEnveloped(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/(?:grpc|connect\+)/i.test(contentType);
}
