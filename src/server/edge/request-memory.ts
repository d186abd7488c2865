/**
 * The part of the memory that new requests may fill. The rest is for the bodies of those that were taken: where new
 * ones could fill all of it, none could be read to its end, and a full server would serve nobody.
 */
const NEW_REQUESTS_RATIO = 0.75;

/** Counts the bytes that all requests under way hold together, against one limit. */
export class RequestMemory {
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Takes `bytes` for a request that begins, or nothing and returns false where the room for those is used up. */
  takeForNew(bytes: number): boolean {
    return this.#take(bytes, this.#maxBytes * NEW_REQUESTS_RATIO);
  }

  /** Takes `bytes` for a request under way, or nothing and returns false where they would be too many. */
  take(bytes: number): boolean {
    return this.#take(bytes, this.#maxBytes);
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  #take(bytes: number, limitBytes: number): boolean {
    if (this.#usedBytes + bytes > limitBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }
}
