const FIRST_CAPACITY_BYTES = 512;

/**
 * Collects bytes that come in pieces of any size. Grows by doubling, so that many
 * tiny pieces cost time and memory in proportion to their bytes.
 */
export class GrowingBuffer {
  #bytes = Buffer.alloc(0);
  #lengthBytes = 0;

  /** How many bytes were collected since the last `clear`. */
  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** Adds a copy of `piece`, which may be a part of `view`. */
  append(piece: Buffer): void {
    const neededBytes = this.#lengthBytes + piece.length;
    if (neededBytes > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(neededBytes, this.#bytes.length * 2, FIRST_CAPACITY_BYTES));
      this.#bytes.copy(grown, 0, 0, this.#lengthBytes);
      this.#bytes = grown;
    }
    piece.copy(this.#bytes, this.#lengthBytes);
    this.#lengthBytes = neededBytes;
  }

  /** What was collected, without copying: good until the next `append`. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#lengthBytes);
  }

  /** Forgets what was collected and keeps the memory. A view taken before stays good until the next `append`. */
  clear(): void {
    this.#lengthBytes = 0;
  }
}
