import type { Clock } from "../../domain/ports.ts";

const MINUTE_MS = 60_000;

/** What a bucket holds at a moment. */
export interface QuotaState {
  readonly limitPerMinute: number;
  /** Whole units left, 0 or more. */
  readonly remainingCount: number;
  /** Until it is full again. */
  readonly fullInMs: number;
}

/** A provider's limit per minute, as a token bucket: full at the start, refilled evenly. */
export class QuotaBucket {
  readonly #clock: Clock;
  readonly #limitPerMinute: number;
  #level: number;
  #atMs: number;

  /** `limitPerMinute` is 1 or more. */
  constructor(limitPerMinute: number, clock: Clock) {
    this.#clock = clock;
    this.#limitPerMinute = limitPerMinute;
    this.#level = limitPerMinute;
    this.#atMs = clock.nowMs();
  }

  /**
   * How long until `count` units are there: 0 when they are now. More than the whole
   * bucket is asked as the whole bucket, else it would never be served.
   */
  waitMs(count: number): number {
    this.#refill();
    const missing = Math.min(count, this.#limitPerMinute) - this.#level;
    return missing <= 0 ? 0 : (missing * MINUTE_MS) / this.#limitPerMinute;
  }

  /** Takes `count` units, or what is there of them. */
  take(count: number): void {
    this.#refill();
    this.#level = Math.max(this.#level - count, 0);
  }

  get state(): QuotaState {
    this.#refill();
    return {
      limitPerMinute: this.#limitPerMinute,
      remainingCount: Math.floor(this.#level),
      fullInMs: ((this.#limitPerMinute - this.#level) * MINUTE_MS) / this.#limitPerMinute,
    };
  }

  #refill(): void {
    const nowMs = this.#clock.nowMs();
    const gained = ((nowMs - this.#atMs) * this.#limitPerMinute) / MINUTE_MS;
    this.#level = Math.min(this.#level + gained, this.#limitPerMinute);
    this.#atMs = nowMs;
  }
}
