/** How much a success proves about a deployment that has failed. Pure. */

/** The chance that is left of being deceived. */
const DOUBT_RATIO = 0.1;
/** More than this are never asked for, however seldom it failed. */
const MAX_COUNT = 10;

/**
 * How many successes in a row show that a deployment of which `failureRatio` (0 to 1)
 * of the attempts failed works again: so many that it would have shown them by luck in
 * one case of ten, (1 − f)ⁿ ≤ 0.1, at least `least` and at most 10. One that was dead
 * proves itself with a single answer, one that fails three times in ten needs seven.
 */
export function countConvincingSuccesses(failureRatio: number, least: number): number {
  if (!(failureRatio > 0)) return MAX_COUNT;
  if (failureRatio >= 1) return least;
  const count = Math.ceil(Math.log(DOUBT_RATIO) / Math.log(1 - failureRatio));
  return Math.min(Math.max(count, least), MAX_COUNT);
}
