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
  /** What is left, in units times `MINUTE_MS`: whole numbers, so that even refills add up exactly. */
  #credit: number;
  #atMs: number;

  /** `limitPerMinute` is 1 or more. */
  constructor(limitPerMinute: number, clock: Clock) {
    this.#clock = clock;
    this.#limitPerMinute = limitPerMinute;
    this.#credit = limitPerMinute * MINUTE_MS;
    this.#atMs = clock.nowMs();
  }

  /**
   * How long until `count` units are there, in whole milliseconds: 0 when they are now. More than the whole
   * bucket is asked as the whole bucket, else it would never be served.
   */
  waitMs(count: number): number {
    this.#refill();
    const missing = Math.min(count, this.#limitPerMinute) * MINUTE_MS - this.#credit;
    // Less than one part in 60,000 of a unit is what clocks with fractions leave over.
    return missing < 1 ? 0 : Math.ceil(missing / this.#limitPerMinute);
  }

  /** Takes `count` units, or what is there of them. */
  take(count: number): void {
    this.#refill();
    this.#credit = Math.max(this.#credit - count * MINUTE_MS, 0);
  }

  get state(): QuotaState {
    this.#refill();
    return {
      limitPerMinute: this.#limitPerMinute,
      remainingCount: Math.floor(this.#credit / MINUTE_MS),
      fullInMs: MINUTE_MS - this.#credit / this.#limitPerMinute,
    };
  }

  #refill(): void {
    const nowMs = this.#clock.nowMs();
    const gained = (nowMs - this.#atMs) * this.#limitPerMinute;
    this.#credit = Math.min(this.#credit + gained, this.#limitPerMinute * MINUTE_MS);
    this.#atMs = nowMs;
  }
}
