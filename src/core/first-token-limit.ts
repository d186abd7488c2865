/** How the time of a request is shared among its attempts. Pure. */

/**
 * How long an attempt may wait for its first delta: the configured limit, or an
 * equal share of the caller's remaining time among the attempts still possible,
 * whichever is less. So a deployment that hangs leaves time for another. The last
 * possible attempt has nobody to leave time for: only the deadline itself cuts its
 * wait, so that what the caller is told does not hang on which of two timers for the
 * same moment fires first.
 */
export function limitFirstTokenMs(
  configuredMs: number,
  remainingMs: number,
  possibleAttemptCount: number,
): number {
  return possibleAttemptCount <= 1
    ? configuredMs
    : Math.min(configuredMs, remainingMs / possibleAttemptCount);
}
