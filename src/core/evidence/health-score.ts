import { computeCautiousSuccess } from "./success-posterior.ts";

/** What the published score is made of. */
export interface HealthFacts {
  /** Pseudo-counts of the success posterior, above 0. */
  readonly alpha: number;
  readonly beta: number;
  /** The expected time to the first token now, and what is ordinary for the deployment; above 0. */
  readonly expectedMs: number;
  readonly referenceMs: number;
  /** 0 while the breaker is open, the admitted share while it ramps up, otherwise 1. */
  readonly admittedRatio: number;
}

/**
 * The health score that people and reports see, 0 bad to 1 good: the cautious success
 * rate × how much of the ordinary speed is left × the admitted share. It is an output:
 * no choice is ever made by it.
 */
export function computeHealthScore(facts: HealthFacts): number {
  if (!(facts.admittedRatio > 0)) return 0;
  const speed = facts.expectedMs > 0 ? Math.min(1, facts.referenceMs / facts.expectedMs) : 1;
  const score = computeCautiousSuccess(facts.alpha, facts.beta) * speed * Math.min(facts.admittedRatio, 1);
  return score >= 0 ? Math.min(score, 1) : 0;
}
