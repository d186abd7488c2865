import { TRIP_WEIGHTS } from "./outcome-door.ts";

/** Attempts that ended, and those of them that failed; half of one for weak evidence. */
export interface FailureCounts {
  readonly attemptCount: number;
  readonly failureCount: number;
}

/**
 * A sequential test over a stream of attempts (CUSUM, Page 1954): the sum of their weights since it was last 0. It
 * is at least the sum of every window of the stream, and knows of a change as soon as any of them could. It ends after
 * `memoryMs` without evidence. Several replicas' attempts are one stream here, in the order in which they became known.
 */
export class SequentialRun {
  readonly #memoryMs: number;
  #sum = 0;
  #lastMs = 0;
  #attemptCount = 0;
  #failureCount = 0;

  constructor(memoryMs: number) {
    this.#memoryMs = memoryMs;
  }

  /** The sum: 0 or more. */
  statistic(nowMs: number): number {
    return nowMs - this.#lastMs > this.#memoryMs ? 0 : this.#sum;
  }

  /** What it stands on. */
  readCounts(nowMs: number): FailureCounts {
    if (this.statistic(nowMs) === 0) return { attemptCount: 0, failureCount: 0 };
    return { attemptCount: this.#attemptCount, failureCount: this.#failureCount };
  }

  /** Adds evidence of this weight, of so many attempts; of none where earlier evidence is taken back. */
  add(nowMs: number, weight: number, attemptCount: number, failureCount: number): void {
    const sum = this.statistic(nowMs);
    if (sum === 0) this.#forgetCounts();
    this.#attemptCount += attemptCount;
    this.#failureCount += failureCount;
    this.#sum = Math.max(sum + weight, 0);
    if (Number.isFinite(nowMs)) this.#lastMs = Math.max(nowMs, this.#lastMs);
  }

  /**
   * Adds attempts that became known at once, in an order that did not: each failure stands behind its even share of the
   * successes, so what went well stands before the one failure of an urgent message, and many say no more than their ratio does.
   */
  addAtOnce(nowMs: number, okCount: number, hardCount: number, weakCount: number): void {
    const failedCount = hardCount + weakCount;
    const okWeight = okCount * TRIP_WEIGHTS.ok;
    if (!(failedCount > 0)) {
      if (okCount > 0) this.add(nowMs, okWeight, okCount, 0);
      return;
    }
    const stepCount = Math.max(Math.ceil(failedCount), 1);
    const fall = -okWeight / stepCount;
    const rise = (hardCount * TRIP_WEIGHTS.hard + weakCount * TRIP_WEIGHTS.weak) / stepCount;
    this.add(nowMs, -fall, okCount / stepCount, 0);
    // Where it falls by more than it rises, step by step, the last failure at least is left of it.
    const sum = this.statistic(nowMs);
    const atEnd = sum + rise + (stepCount - 1) * (rise - fall);
    const okLeftCount = okCount - okCount / stepCount;
    this.add(
      nowMs,
      Math.max(atEnd, rise) - sum,
      okLeftCount + hardCount + weakCount / 2,
      hardCount + weakCount / 2,
    );
  }

  /** Forgets everything. */
  clear(): void {
    this.#sum = 0;
    this.#lastMs = 0;
    this.#forgetCounts();
  }

  #forgetCounts(): void {
    this.#attemptCount = 0;
    this.#failureCount = 0;
  }
}
