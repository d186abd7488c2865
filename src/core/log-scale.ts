/** Logarithmic buckets for durations: each upper bound is `growth` times the one before. */
export interface LogScale {
  /** The upper bound of the first bucket. */
  readonly minMs: number;
  /** Above 1. A bucket's middle is off by at most sqrt(growth) − 1. */
  readonly growth: number;
  readonly bucketCount: number;
}

/** A scale from `minMs` to at least `maxMs`; what lies outside counts at its edges. */
export function makeLogScale(minMs: number, maxMs: number, growth: number): LogScale {
  return { minMs, growth, bucketCount: Math.ceil(Math.log(maxMs / minMs) / Math.log(growth)) + 1 };
}

/** The bucket of a duration; what is not a number counts in the first. */
export function findLogBucket(scale: LogScale, ms: number): number {
  if (!(ms > scale.minMs)) return 0;
  return Math.min(scale.bucketCount - 1, Math.ceil(Math.log(ms / scale.minMs) / Math.log(scale.growth)));
}

/** The geometric middle of a bucket. */
export function middleOfLogBucket(scale: LogScale, index: number): number {
  return scale.minMs * scale.growth ** (index - 0.5);
}

/**
 * The duration that a share of `ratio` (0 to 1) does not exceed, given how many there
 * are in each bucket, or undefined when there are none.
 */
export function findPercentileMs(scale: LogScale, counts: Float64Array, ratio: number): number | undefined {
  let total = 0;
  for (let index = 0; index < scale.bucketCount; index++) total += counts[index] ?? 0;
  if (total === 0) return undefined;
  const rank = Math.max(1, Math.ceil(ratio * total));
  let seen = 0;
  for (let index = 0; index < scale.bucketCount; index++) {
    seen += counts[index] ?? 0;
    if (seen >= rank) return middleOfLogBucket(scale, index);
  }
  return middleOfLogBucket(scale, scale.bucketCount - 1);
}
