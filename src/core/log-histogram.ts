import { findLogBucket, findPercentileMs, type LogScale } from "./log-scale.ts";

/** 0.01 ms to 10.7 days. */
const SCALE: LogScale = { minMs: 0.01, growth: 1.1, bucketCount: 266 };

/**
 * A histogram of durations with logarithmic buckets: each upper bound is 1.1 times
 * the one before, and a bucket answers with its geometric middle, so a percentile is
 * off by at most 4.9 % (sqrt(1.1) - 1). Constant memory; two can be added bucket by bucket.
 */
export class LogHistogram {
  readonly #counts = new Float64Array(SCALE.bucketCount);
  #count = 0;
  #sumMs = 0;

  get count(): number {
    return this.#count;
  }

  /** The arithmetic mean in milliseconds, or undefined while empty. */
  get meanMs(): number | undefined {
    return this.#count === 0 ? undefined : this.#sumMs / this.#count;
  }

  /** Adds a duration of 0 ms or more; what is beyond the range counts at its edge. */
  record(ms: number): void {
    const index = findLogBucket(SCALE, ms);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count += 1;
    this.#sumMs += ms;
  }

  /** Adds what another histogram holds. */
  add(other: LogHistogram): void {
    for (let index = 0; index < SCALE.bucketCount; index++) {
      this.#counts[index] = (this.#counts[index] ?? 0) + (other.#counts[index] ?? 0);
    }
    this.#count += other.#count;
    this.#sumMs += other.#sumMs;
  }

  /** The duration that a share of `ratio` (0 to 1) does not exceed, or undefined while empty. */
  percentileMs(ratio: number): number | undefined {
    return findPercentileMs(SCALE, this.#counts, ratio);
  }
}
