import { betaQuantile } from "./incomplete-beta.ts";
import { type EvidenceKind, FAILURE_WEIGHTS } from "./outcome-door.ts";

const HALF_LIFE_MS = 45_000;
/** The belief before any evidence: 20 attempts of which 99.5 % succeeded. */
const PRIOR_SUCCESSES = 20 * 0.995;
const PRIOR_FAILURES = 20 * 0.005;
/** The belief about a deployment whose breaker has just closed. */
const PROBATION_SUCCESSES = 3;
const PROBATION_FAILURES = 1;
/** A sampled probability has this share of the posterior's deviation: explore, but little. */
const SAMPLE_DEVIATION_RATIO = 0.5;
const SCORE_RATIO = 0.1;

/**
 * What is believed about the probability that an attempt succeeds: a Beta
 * distribution over decayed counts, half-life 45 s. While the breaker is open it is
 * frozen, and it starts anew from a probation prior on closing, so that an outage is
 * charged once, by the breaker, and not again by the score, however long it was.
 */
export class SuccessPosterior {
  #successes = 0;
  #failures = 0;
  /** How far the prior is still from the ordinary one: 1 on closing, 0 when long past. */
  #probation = 0;
  #atMs = 0;
  #frozen = false;
  #refreshedMs = Number.NaN;
  #alpha = PRIOR_SUCCESSES;
  #beta = PRIOR_FAILURES;

  /** Adds one ended attempt's evidence. Does nothing while frozen, or for kinds that have another door. */
  record(nowMs: number, kind: EvidenceKind): void {
    const failures = FAILURE_WEIGHTS[kind];
    if (this.#frozen || (kind !== "ok" && failures === 0)) return;
    this.#age(nowMs);
    this.#failures += failures;
    if (kind === "ok") this.#successes += 1;
    this.#refreshedMs = Number.NaN;
  }

  /** An attempt whose silence counted as weak evidence was answered after all: that is taken back. */
  answerLate(nowMs: number): void {
    if (this.#frozen) return;
    this.#age(nowMs);
    this.#failures = Math.max(this.#failures - FAILURE_WEIGHTS.weak, 0);
    this.record(nowMs, "ok");
  }

  /** The breaker has opened: nothing is learnt and nothing fades. */
  freeze(nowMs: number): void {
    this.#age(nowMs);
    this.#frozen = true;
  }

  /** The breaker has closed: what was is forgotten. */
  restart(nowMs: number): void {
    this.#successes = 0;
    this.#failures = 0;
    this.#probation = 1;
    this.#frozen = false;
    this.#atMs = Number.isFinite(nowMs) ? Math.max(nowMs, this.#atMs) : this.#atMs;
    this.#refreshedMs = Number.NaN;
  }

  /** The expected probability of success, 0 to 1. */
  mean(nowMs: number): number {
    this.#refresh(nowMs);
    return this.#alpha / (this.#alpha + this.#beta);
  }

  /** The standard deviation of that belief. */
  deviation(nowMs: number): number {
    this.#refresh(nowMs);
    return computeBetaDeviation(this.#alpha, this.#beta);
  }

  /** The pseudo-counts of successes, above 0. */
  alpha(nowMs: number): number {
    this.#refresh(nowMs);
    return this.#alpha;
  }

  /** The pseudo-counts of failures, above 0. */
  beta(nowMs: number): number {
    this.#refresh(nowMs);
    return this.#beta;
  }

  #refresh(nowMs: number): void {
    if (nowMs === this.#refreshedMs) return;
    const faded = this.#fadeAt(nowMs);
    const probation = this.#probation * faded;
    this.#alpha =
      PRIOR_SUCCESSES + probation * (PROBATION_SUCCESSES - PRIOR_SUCCESSES) + this.#successes * faded;
    this.#beta = PRIOR_FAILURES + probation * (PROBATION_FAILURES - PRIOR_FAILURES) + this.#failures * faded;
    this.#refreshedMs = nowMs;
  }

  #age(nowMs: number): void {
    const faded = this.#fadeAt(nowMs);
    this.#successes *= faded;
    this.#failures *= faded;
    this.#probation *= faded;
    if (nowMs > this.#atMs && Number.isFinite(nowMs)) this.#atMs = nowMs;
    this.#refreshedMs = Number.NaN;
  }

  #fadeAt(nowMs: number): number {
    const elapsedMs = nowMs - this.#atMs;
    return !this.#frozen && elapsedMs > 0 && Number.isFinite(elapsedMs)
      ? 2 ** (-elapsedMs / HALF_LIFE_MS)
      : 1;
  }
}

/** The standard deviation of a Beta(alpha, beta) variable. */
export function computeBetaDeviation(alpha: number, beta: number): number {
  const mass = alpha + beta;
  return Math.sqrt((alpha * beta) / (mass * mass * (mass + 1)));
}

/** What a Beta(alpha, beta) variable exceeds with probability 0.9: the cautious view of a success rate. */
export function computeCautiousSuccess(alpha: number, beta: number): number {
  return betaQuantile(SCORE_RATIO, alpha, beta);
}

/** A probability of success drawn around `mean`: `normal` is a draw from the standard normal distribution. */
export function sampleSuccess(mean: number, deviation: number, normal: number): number {
  const sample = mean + SAMPLE_DEVIATION_RATIO * deviation * normal;
  return sample >= 0 ? Math.min(sample, 1) : 0;
}
