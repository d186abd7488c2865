/** How the time of a request is shared among its attempts. Pure. */

/**
 * How long an attempt may wait for its first delta: the configured limit, or an
 * equal share of the caller's remaining time among the attempts still possible,
 * whichever is less. So a deployment that hangs leaves time for another.
 */
export function limitFirstTokenMs(
  configuredMs: number,
  remainingMs: number,
  possibleAttemptCount: number,
): number {
  return Math.min(configuredMs, remainingMs / Math.max(possibleAttemptCount, 1));
}
