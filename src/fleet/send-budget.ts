/** Allows so many per second, and a second's worth at once. */
export class SendBudget {
  readonly #perSecond: number;
  #level: number;
  #atMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#level = perSecond;
    this.#atMs = nowMs;
  }

  /** Takes one, when there is one. */
  take(nowMs: number): boolean {
    const earned = (Math.max(nowMs - this.#atMs, 0) / 1_000) * this.#perSecond;
    this.#level = Math.min(this.#level + earned, this.#perSecond);
    this.#atMs = Math.max(nowMs, this.#atMs);
    if (this.#level < 1) return false;
    this.#level -= 1;
    return true;
  }
}
