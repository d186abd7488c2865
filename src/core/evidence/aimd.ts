const CUT_RATIO = 0.8;
const MIN_CUT_INTERVAL_MS = 1_000;
const RECOVERY_PER_SECOND = 0.02;
/** Never below this, or a deployment would not be tried often enough to recover. */
const MIN_RATIO = 0.05;

/**
 * The share of a limit that is admitted: multiplied by 0.8 on a 429, at most once
 * per second, and risen by 2 % of the limit per second (additive increase,
 * multiplicative decrease).
 */
export class AdmittedRate {
  #ratio = 1;
  #atMs = 0;
  #cutMs: number | undefined;

  /** The provider has refused an attempt for its rate. */
  cut(nowMs: number): void {
    if (!Number.isFinite(nowMs)) return;
    if (this.#cutMs !== undefined && nowMs - this.#cutMs < MIN_CUT_INTERVAL_MS) return;
    this.#ratio = Math.max(this.ratio(nowMs) * CUT_RATIO, MIN_RATIO);
    this.#atMs = nowMs;
    this.#cutMs = nowMs;
  }

  /** The share that is admitted now: 0.05 to 1. */
  ratio(nowMs: number): number {
    const elapsedMs = nowMs - this.#atMs;
    if (!(elapsedMs > 0)) return this.#ratio;
    return Math.min(this.#ratio + (elapsedMs / 1_000) * RECOVERY_PER_SECOND, 1);
  }
}
