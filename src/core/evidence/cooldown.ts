/** The longest wait a provider can impose. */
export const MAX_RETRY_AFTER_MS = 3_600_000;
const BASE_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;
const MAX_DOUBLING_COUNT = 6;
/** Chance adds or takes up to this share, so that replicas do not come back together. */
const JITTER_RATIO = 0.25;
/** Refusals further apart than this have nothing to do with each other. */
const FORGET_MS = 120_000;

/**
 * The time in which a deployment is left alone after a 429: what the provider asked
 * for, at most an hour, or else a jittered back-off from 1 s, doubling to 60 s. A
 * later refusal never shortens it.
 */
export class Cooldown {
  #untilMs = 0;
  #doublingCount = 0;

  /** The end of the wait, by the Clock; 0 when there was none. */
  get untilMs(): number {
    return this.#untilMs;
  }

  /** Begins or lengthens the wait. `chance`: 0 to 1, exclusive; used when `retryAfterMs` is unknown. */
  extend(nowMs: number, retryAfterMs: number | undefined, chance: number): void {
    if (!Number.isFinite(nowMs)) return;
    const waitMs = boundRetryAfterMs(retryAfterMs) ?? this.#backOffMs(nowMs, chance);
    if (waitMs > 0) this.#untilMs = Math.max(this.#untilMs, nowMs + waitMs);
  }

  /**
   * An attempt that began at `startedMs` was answered: the next back-off starts small
   * again, unless it began before the wait was over and so says nothing about it.
   */
  relax(startedMs: number): void {
    if (startedMs >= this.#untilMs) this.#doublingCount = 0;
  }

  #backOffMs(nowMs: number, chance: number): number {
    // Several refusals of one burst are one refusal: only a new one after the wait doubles.
    if (nowMs < this.#untilMs) return 0;
    if (nowMs - this.#untilMs > FORGET_MS) this.#doublingCount = 0;
    const jitter = 1 - JITTER_RATIO + 2 * JITTER_RATIO * chance;
    const waitMs = Math.min(BASE_MS * 2 ** this.#doublingCount * jitter, MAX_BACKOFF_MS);
    this.#doublingCount = Math.min(this.#doublingCount + 1, MAX_DOUBLING_COUNT);
    return waitMs;
  }
}

/** A provider's wait within 0 to an hour, or undefined when it gave none that makes sense. */
export function boundRetryAfterMs(retryAfterMs: number | undefined): number | undefined {
  if (retryAfterMs === undefined || !(retryAfterMs >= 0)) return undefined;
  return Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
}
