import { normalQuantile } from "./normal-quantile.ts";

/** What is believed of a latency before, or long after, it was measured. */
export interface LatencyPrior {
  /** The median, 1 ms to 10 min for a time to first token. */
  readonly medianMs: number;
  /** The standard deviation of the logarithm. */
  readonly logDeviation: number;
}

/** What reading the prompt adds to the time to the first token, per token: 20 µs. */
export const PROMPT_MS_PER_TOKEN = 0.02;

/** Answers shorter than this say nothing about the time per token. */
export const MIN_PACED_TOKENS = 8;

const HALF_LIFE_MS = 30_000;
/** Without samples for this long the estimate begins to drift back to the prior … */
const DRIFT_AFTER_MS = 30_000;
/** … and is half-way there after this much more. */
const DRIFT_HALF_LIFE_MS = 90_000;
/** How many samples the prior counts as. */
const PRIOR_MASS = 4;
/** However old the samples are, one new sample is never more than a third of the estimate. */
const MIN_MASS = 2;
/** A sample more than one deviation slower than thought counts as two: bad news travels fast. */
const SLOW_WEIGHT = 2;
const MIN_MS = 0.01;
const MAX_MS = 600_000;
const MIN_VARIANCE = 0.05 ** 2;
const MAX_VARIANCE = 2 ** 2;

/**
 * A running estimate of a latency, taken as log-normal: decayed mean and variance of
 * the logarithm, half-life 30 s. It rises faster than it falls. Reading changes nothing.
 */
export class LatencyEstimate {
  readonly #priorLogMean: number;
  readonly #priorVariance: number;
  #logMean: number;
  #variance: number;
  #mass = PRIOR_MASS;
  #atMs = 0;
  #hasSample = false;

  constructor(prior: LatencyPrior) {
    this.#priorLogMean = toLog(prior.medianMs);
    this.#priorVariance = clampVariance(prior.logDeviation ** 2);
    this.#logMean = this.#priorLogMean;
    this.#variance = this.#priorVariance;
  }

  /** Adds a measurement. What is not a number is dropped; the rest counts within 0.01 ms to 10 min. */
  record(nowMs: number, ms: number): void {
    this.#add(nowMs, ms, SLOW_WEIGHT);
  }

  #add(nowMs: number, ms: number, slowWeight: number): void {
    if (Number.isNaN(ms) || !Number.isFinite(nowMs)) return;
    const sample = toLog(ms);
    this.#drift(nowMs);
    const slow = sample > this.#logMean + Math.sqrt(this.#variance);
    const weight = slow ? slowWeight : 1;
    const mass = this.#mass + weight;
    const delta = sample - this.#logMean;
    this.#logMean += (weight / mass) * delta;
    const spread = (this.#mass / mass) * this.#variance + ((weight * this.#mass) / mass ** 2) * delta ** 2;
    this.#variance = clampVariance(spread);
    this.#mass = mass;
    this.#hasSample = true;
  }

  /**
   * Adds a wait that was cut off: the latency is known to be at least `ageMs`. Says
   * something only when that is longer than estimated; it can only raise the estimate.
   * A bound is less than a measurement: it counts once.
   */
  recordCensored(nowMs: number, ageMs: number): void {
    if (ageMs > this.meanMs(nowMs)) this.#add(nowMs, ageMs, 1);
  }

  /** The mean of the logarithm of milliseconds. */
  logMean(nowMs: number): number {
    return this.#priorLogMean + this.#trust(nowMs) * (this.#logMean - this.#priorLogMean);
  }

  /** The standard deviation of the logarithm. */
  logDeviation(nowMs: number): number {
    const trust = this.#trust(nowMs);
    return Math.sqrt(trust * this.#variance + (1 - trust) * this.#priorVariance);
  }

  /** The mean in milliseconds: e^(µ + σ²/2). */
  meanMs(nowMs: number): number {
    return Math.exp(this.logMean(nowMs) + this.logDeviation(nowMs) ** 2 / 2);
  }

  /** The latency that a share of `ratio` (0 to 1) does not exceed, in milliseconds. */
  quantileMs(nowMs: number, ratio: number): number {
    return Math.exp(this.logMean(nowMs) + normalQuantile(ratio) * this.logDeviation(nowMs));
  }

  /** How long ago the last sample came, 0 or more, or undefined when there was none. */
  lastSampleAgeMs(nowMs: number): number | undefined {
    return this.#hasSample ? this.#elapsedMs(nowMs) : undefined;
  }

  /** How much the samples count against the prior: 1 to 0. */
  #trust(nowMs: number): number {
    const silentMs = this.#hasSample ? this.#elapsedMs(nowMs) : 0;
    return silentMs <= DRIFT_AFTER_MS ? 1 : 2 ** (-(silentMs - DRIFT_AFTER_MS) / DRIFT_HALF_LIFE_MS);
  }

  #elapsedMs(nowMs: number): number {
    return Number.isFinite(nowMs) ? Math.max(nowMs - this.#atMs, 0) : 0;
  }

  #drift(nowMs: number): void {
    const elapsedMs = this.#hasSample ? this.#elapsedMs(nowMs) : 0;
    const variance = this.logDeviation(nowMs) ** 2;
    this.#logMean = this.logMean(nowMs);
    this.#variance = variance;
    this.#mass = Math.max(this.#mass * 2 ** (-elapsedMs / HALF_LIFE_MS), MIN_MASS);
    this.#atMs = this.#hasSample ? Math.max(this.#atMs, nowMs) : nowMs;
  }
}

/** The part of a time to first token that does not come from the length of the prompt. */
export function subtractPromptMs(timeToFirstTokenMs: number, promptTokens: number): number {
  return timeToFirstTokenMs - promptCostMs(promptTokens);
}

/** What reading the prompt takes. A count that makes no sense counts as none. */
export function promptCostMs(promptTokens: number): number {
  return promptTokens > 0 && Number.isFinite(promptTokens) ? promptTokens * PROMPT_MS_PER_TOKEN : 0;
}

/**
 * The time per token after the first, or undefined when the answer was too short to
 * tell or the figures make no sense.
 */
export function computePaceMs(
  totalMs: number,
  timeToFirstTokenMs: number | undefined,
  outputTokens: number | undefined,
): number | undefined {
  if (timeToFirstTokenMs === undefined || outputTokens === undefined) return undefined;
  if (!(outputTokens >= MIN_PACED_TOKENS)) return undefined;
  const paceMs = (totalMs - timeToFirstTokenMs) / (outputTokens - 1);
  return Number.isFinite(paceMs) && paceMs >= 0 ? paceMs : undefined;
}

function toLog(ms: number): number {
  return Math.log(Math.min(Math.max(ms, MIN_MS), MAX_MS));
}

function clampVariance(variance: number): number {
  return variance >= MIN_VARIANCE ? Math.min(variance, MAX_VARIANCE) : MIN_VARIANCE;
}
