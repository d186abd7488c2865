/** How long to wait before another attempt. Pure. */

/** A retry strategy (seed 002), per provider or for all. */
export interface RetryStrategy {
  /** The most retries of one attempt at the same deployment, 0 or more. */
  readonly maxRetries: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** Each delay is this many times the one before, 1 or more. */
  readonly multiplier: number;
  /** The share of the delay that chance may take off, 0 to 1. */
  readonly jitterRatio: number;
}

/**
 * The delay before retry `retryNumber` (from 1): base × multiplier^(n−1), at most the
 * maximum, less a random share of up to `jitterRatio` (`chance` is 0 to 1, exclusive),
 * so that callers who failed together do not come back together.
 */
export function computeBackoffMs(strategy: RetryStrategy, retryNumber: number, chance: number): number {
  const growth = strategy.multiplier ** Math.max(retryNumber - 1, 0);
  const delayMs = Math.min(strategy.baseDelayMs * growth, strategy.maxDelayMs);
  return delayMs * (1 - strategy.jitterRatio * chance);
}
