import { findLogBucket, findPercentileMs, makeLogScale } from "../log-scale.ts";
import { type TimeBucket, TimeRing } from "./time-ring.ts";

/** 50 ms to 120 s in steps of 1.2: a percentile is off by at most 9.6 %. */
export const LATENCY_SCALE = makeLogScale(50, 120_000, 1.2);
const GENERATION_MS = 30_000;
/** 2 to 2.5 minutes of samples. */
const GENERATION_COUNT = 5;

/** Histograms of a latency over the last two minutes, in generations of 30 s that merge like counters. */
export class LatencySeries {
  readonly #ring = new TimeRing(GENERATION_MS, GENERATION_COUNT, LATENCY_SCALE.bucketCount);
  readonly #counts = new Float64Array(LATENCY_SCALE.bucketCount);

  /** Adds a sample; what is outside of the scale counts at its edge, what is not a number not at all. */
  record(nowMs: number, ms: number): void {
    if (!Number.isNaN(ms)) this.#ring.add(nowMs, findLogBucket(LATENCY_SCALE, ms), 1);
  }

  /** How many samples it holds. */
  sampleCount(nowMs: number): number {
    this.#sum(nowMs);
    return this.#counts.reduce((total, count) => total + count, 0);
  }

  /** The latency that a share of `ratio` (0 to 1) of the samples does not exceed, or undefined without any. */
  percentileMs(nowMs: number, ratio: number): number | undefined {
    this.#sum(nowMs);
    return findPercentileMs(LATENCY_SCALE, this.#counts, ratio);
  }

  /** Joins what another copy of the same writer's series says. */
  merge(generations: readonly TimeBucket[]): void {
    for (const generation of generations) this.#ring.merge(generation);
  }

  /** The generations as values. */
  toValue(): readonly TimeBucket[] {
    return this.#ring.list(GENERATION_COUNT);
  }

  /** Forgets everything. */
  clear(): void {
    this.#ring.clear();
  }

  #sum(nowMs: number): void {
    this.#ring.sumFields(nowMs, GENERATION_COUNT, this.#counts);
  }
}
