/** Allows a number at once, and a rate after that. */
export class TokenBucket {
  readonly #burstCount: number;
  readonly #perSecond: number;
  #tokens: number;
  #filledMs: number;

  constructor(burstCount: number, perSecond: number, nowMs: number) {
    this.#burstCount = burstCount;
    this.#perSecond = perSecond;
    this.#tokens = burstCount;
    this.#filledMs = nowMs;
  }

  /** Uses `count` up, one unless told. False, and nothing is used, when there are fewer. */
  take(nowMs: number, count = 1): boolean {
    const earned = ((nowMs - this.#filledMs) / 1_000) * this.#perSecond;
    this.#tokens = Math.min(this.#burstCount, this.#tokens + earned);
    this.#filledMs = nowMs;
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }
}
