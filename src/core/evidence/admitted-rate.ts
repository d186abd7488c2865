/** A refusal at or above the ceiling takes this off … */
const CUT_RATIO = 0.7;
/** … and one below it more: the limit is lower than was thought. */
const DEEP_CUT_RATIO = 0.5;
/** Refusals closer together than this are one: the attempts were under way at the same time. */
const MIN_CUT_INTERVAL_MS = 1_000;
const MIN_PLATEAU_MS = 60_000;
const MAX_PLATEAU_MS = 120_000;
/** Never below this, or a deployment would not be tried often enough to recover. */
const MIN_RATIO = 0.01;
/** How far one answer to an attempt beyond the share brings it back. */
const ANSWER_ADVANCE_MS = 5_000;

/**
 * The share of a limit that is admitted after refusals, found as TCP CUBIC finds a
 * path's (RFC 9438): the rate that was refused is the ceiling; the share is cut below
 * it, comes back to it slowly, stays near it, and then rises faster and faster. A
 * ceiling that is met again is asked again half as often. So a limit that was lowered
 * without a word is found within a few refusals and kept at the cost of few more.
 */
export class AdmittedRate {
  #ceiling = 1;
  #low = 1;
  #plateauMs = MIN_PLATEAU_MS;
  #cutMs: number | undefined;
  /** What answers have taken off the time since. */
  #advanceMs = 0;

  /** The provider has refused an attempt for its rate. Nothing below `leastRatio` follows from it. */
  cut(nowMs: number, leastRatio = 0): void {
    if (!Number.isFinite(nowMs)) return;
    const sinceMs = this.#cutMs === undefined ? Infinity : nowMs - this.#cutMs;
    if (sinceMs < MIN_CUT_INTERVAL_MS) return;
    const ratio = this.ratio(nowMs);
    const isBelow = sinceMs < this.#plateauMs;
    if (ratio >= 1) this.#plateauMs = MIN_PLATEAU_MS;
    else if (!isBelow) this.#plateauMs = Math.min(this.#plateauMs * 2, MAX_PLATEAU_MS);
    this.#low = Math.max(ratio * (isBelow ? DEEP_CUT_RATIO : CUT_RATIO), MIN_RATIO, leastRatio);
    // At the least that is admitted ceiling and share would be one, and a curve between equals never rises.
    this.#ceiling = Math.max(ratio, this.#low / CUT_RATIO);
    this.#cutMs = nowMs;
    this.#advanceMs = 0;
  }

  /** An attempt beyond the share was answered all the same: the share comes back as if 5 s more had passed. */
  noteAnswer(): void {
    this.#advanceMs += ANSWER_ADVANCE_MS;
  }

  /** The share that is admitted now: 0.01 to 1. */
  ratio(nowMs: number): number {
    if (this.#cutMs === undefined) return 1;
    const elapsedMs = nowMs - this.#cutMs + this.#advanceMs;
    if (!(elapsedMs > 0)) return this.#low;
    const fromCeiling = elapsedMs / this.#plateauMs - 1;
    const ratio = this.#ceiling + (this.#ceiling - this.#low) * fromCeiling ** 3;
    return Math.min(Math.max(ratio, this.#low), 1);
  }
}
