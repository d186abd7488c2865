/** How long an attempt may be silent before its silence speaks against its deployment. Pure. */

/** Nobody is suspected sooner. */
const MIN_SUSPECT_AGE_MS = 1_000;
/** One attempt in a hundred of a log-normal time to the first token is later than this many deviations. */
const SUSPECT_DEVIATIONS = 2.33;

/**
 * The age from which on an attempt without a first token is weak evidence, though it
 * still runs: max(1 s, e^(µ + 2.33 σ)) plus what the prompt costs.
 *
 * @param logMean µ, the mean of ln of the time to the first token in ms, without the prompt's part
 * @param logDeviation σ of the same
 * @param promptMs what reading this prompt takes
 */
export function computeSuspectAgeMs(logMean: number, logDeviation: number, promptMs: number): number {
  return Math.max(MIN_SUSPECT_AGE_MS, Math.exp(logMean + SUSPECT_DEVIATIONS * logDeviation)) + promptMs;
}
