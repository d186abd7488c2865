const CAPACITY_MS = 15_000;
const MINUTE_MS = 60_000;

/** A provider's own token bucket: 15 s' worth of a limit per minute, filling continuously. Refuses what it lacks. */
export class QuotaBucket {
  readonly #perMinute: number;
  #level: number;
  #atMs = 0;
  #factor = 1;

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
    this.#level = (perMinute * CAPACITY_MS) / MINUTE_MS;
  }

  /** Fills up to now; the factor on the limit holds from now on. */
  fill(nowMs: number, factor: number): void {
    const filled = this.#level + ((nowMs - this.#atMs) * this.#perMinute * this.#factor) / MINUTE_MS;
    this.#factor = factor;
    this.#atMs = nowMs;
    this.#level = Math.min(filled, this.capacity);
  }

  get capacity(): number {
    return (this.#perMinute * this.#factor * CAPACITY_MS) / MINUTE_MS;
  }

  /** What is left, as of the last `fill`; an amount above the capacity needs a full bucket only. */
  admits(amount: number): boolean {
    return this.#level >= Math.min(amount, this.capacity);
  }

  /** What is left as a share of what it can hold, as of the last `fill`. */
  get freeRatio(): number {
    return Math.max(this.#level, 0) / Math.max(this.capacity, 1e-9);
  }

  take(amount: number): void {
    this.#level -= amount;
  }

  /** How long until it admits the amount, from the last `fill`. */
  waitMs(amount: number): number {
    const missing = Math.min(amount, this.capacity) - this.#level;
    return missing <= 0 ? 0 : (missing * MINUTE_MS) / Math.max(this.#perMinute * this.#factor, 1e-9);
  }
}
