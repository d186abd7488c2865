/** What follows when other replicas' evidence speaks against a deployment. Pure. */

/** A verification that has not ended after this long no longer keeps others from trying. */
export const VERIFICATION_MS = 60_000;

/** What the rule looks at. */
export interface SuspicionFacts {
  /** The trip statistic of own and other replicas' evidence together. */
  readonly fleetStatistic: number;
  readonly threshold: number;
  readonly breakerClosed: boolean;
}

/**
 * Whether a deployment is suspect: the fleet has seen enough for it to count as
 * failed, this replica has not. Other replicas' evidence never opens a breaker here;
 * it stops all traffic but one request, whose result decides.
 */
export function isSuspect(facts: SuspicionFacts): boolean {
  return facts.breakerClosed && facts.fleetStatistic >= facts.threshold;
}

/**
 * Whether an attempt may go to a deployment as far as suspicion goes: when it is not
 * suspect, when nobody verifies it yet, or when no other candidate is usable, because
 * other replicas' word alone never leaves a request without a candidate.
 */
export function admitsSuspect(suspect: boolean, verifying: boolean, otherUsableCount: number): boolean {
  return !suspect || !verifying || otherUsableCount === 0;
}
