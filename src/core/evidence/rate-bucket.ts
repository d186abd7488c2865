/** How much of a limit per minute may be used at once, in milliseconds' worth of it. */
const CAPACITY_MS = 15_000;
const MINUTE_MS = 60_000;

/**
 * A token bucket for a limit per minute. It holds 15 s' worth and fills continuously,
 * as providers' own do. It may be overdrawn, because an answer can be longer than was
 * reserved. Never above its capacity.
 */
export class RateBucket {
  #perMinute: number;
  #level: number;
  #atMs: number;

  /** `perMinute`: above 0. */
  constructor(perMinute: number, nowMs: number) {
    this.#perMinute = perMinute;
    this.#level = this.capacity;
    this.#atMs = nowMs;
  }

  /** What it can hold: at least 1. */
  get capacity(): number {
    return Math.max((this.#perMinute * CAPACITY_MS) / MINUTE_MS, 1);
  }

  /** Changes the limit from now on; what is missing stays missing, up to a minute's worth of the new limit. */
  setRate(perMinute: number, nowMs: number): void {
    if (perMinute === this.#perMinute || !(perMinute > 0)) return;
    this.#fill(nowMs);
    const missing = this.capacity - this.#level;
    this.#perMinute = perMinute;
    this.#level = Math.max(this.capacity - missing, this.#leastLevel);
  }

  /** Takes an amount, and returns what was taken: no single attempt costs more than a minute's worth. */
  take(amount: number, nowMs: number): number {
    this.#fill(nowMs);
    const taken = this.bound(amount);
    this.#level -= taken;
    return taken;
  }

  /**
   * Takes what others have spent, down to nothing: they may know of a larger limit than this one, and a
   * provider lets nobody take more than there is. A replica that hears of two minutes of spending at once, because
   * it joins or was cut off, would else have to wait until all of it is earned again.
   */
  takeElsewhere(amount: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#level = Math.min(this.#level, Math.max(this.#level - this.bound(amount), 0));
  }

  /** Corrects what `take` took by what it turned out to be; gives back when that was less. */
  settle(taken: number, actual: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#level = Math.min(this.#level + taken - this.bound(actual), this.capacity);
  }

  /** Leaves at most so much: the provider has shown that there is no more. */
  drain(left: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#level = Math.min(this.#level, left);
  }

  /** Whether so much is left, or all that it can hold. */
  holds(amount: number, nowMs: number): boolean {
    return this.#level + this.#refill(nowMs) >= Math.min(amount, this.capacity);
  }

  /** How long until so much is left, or all that it can hold; 0 when it is. */
  delayMs(amount: number, nowMs: number): number {
    const missing = Math.min(amount, this.capacity) - this.#level - this.#refill(nowMs);
    return missing > 0 ? (missing * MINUTE_MS) / this.#perMinute : 0;
  }

  /** What is left, as a share of the capacity: 0 to 1. */
  headroomRatio(nowMs: number): number {
    const filled = this.#level + this.#refill(nowMs);
    return Math.min(Math.max(filled / this.capacity, 0), 1);
  }

  /** An amount from 0 to one minute's worth; what is not a number is none. */
  bound(amount: number): number {
    return amount > 0 ? Math.min(amount, Math.max(this.#perMinute, 1)) : 0;
  }

  get #leastLevel(): number {
    return this.capacity - Math.max(this.#perMinute, 1);
  }

  #refill(nowMs: number): number {
    const elapsedMs = nowMs - this.#atMs;
    return elapsedMs > 0 && Number.isFinite(elapsedMs) ? (elapsedMs * this.#perMinute) / MINUTE_MS : 0;
  }

  #fill(nowMs: number): void {
    this.#level = Math.min(this.#level + this.#refill(nowMs), this.capacity);
    if (nowMs > this.#atMs && Number.isFinite(nowMs)) this.#atMs = nowMs;
  }
}
