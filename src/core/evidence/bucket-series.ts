import { TRIP_WEIGHTS } from "./outcome-door.ts";
import { type TimeBucket, TimeRing } from "./time-ring.ts";

/** What is counted per bucket of time; tokens are prompt and answer together. */
export const COUNTERS = [
  "started",
  "ok",
  "hard",
  "weak",
  "limited",
  "reservedTokens",
  "settledTokens",
] as const;

export type Counter = (typeof COUNTERS)[number];

/** The position of each counter in `TimeBucket.values`. */
export const COUNTER_FIELDS: Readonly<Record<Counter, number>> = {
  started: 0,
  ok: 1,
  hard: 2,
  weak: 3,
  limited: 4,
  reservedTokens: 5,
  settledTokens: 6,
};

/** The windows of the trip statistic. */
export const TRIP_WINDOWS_MS = [1_000, 2_000, 5_000, 15_000, 60_000, 120_000] as const;

/** Fine buckets are 1 s wide and last 15 s, coarse ones are 5 s wide and last 120 s. */
export const FINE_BUCKET_MS = 1_000;
export const COARSE_BUCKET_MS = 5_000;
const FINE_MS = 15_000;
const COARSE_MS = 120_000;
/** One slot more than the longest window, so that a peer that is one bucket ahead pushes nothing out. */
export const FINE_SLOT_COUNT = FINE_MS / FINE_BUCKET_MS + 1;
export const COARSE_SLOT_COUNT = COARSE_MS / COARSE_BUCKET_MS + 1;

/** The windows of `TRIP_WINDOWS_MS` that each ring answers, in buckets. */
export const FINE_WINDOWS = TRIP_WINDOWS_MS.filter((ms) => ms <= FINE_MS).map((ms) => ms / FINE_BUCKET_MS);
export const COARSE_WINDOWS = TRIP_WINDOWS_MS.filter((ms) => ms > FINE_MS).map((ms) => ms / COARSE_BUCKET_MS);

const COUNTER_TRIP_WEIGHTS = [0, TRIP_WEIGHTS.ok, TRIP_WEIGHTS.hard, TRIP_WEIGHTS.weak];

/** A series, or the newest part of one, as a value for the wire. */
export interface SeriesValue {
  /** Buckets of 1 s, each index once. */
  readonly fine: readonly TimeBucket[];
  /** Buckets of 5 s, each index once. */
  readonly coarse: readonly TimeBucket[];
}

/**
 * What one replica, in one incarnation, has counted about one deployment. Counters
 * never decrease within a bucket. Each event is in both resolutions, which are never
 * added together.
 */
export class BucketSeries {
  readonly #fine = new TimeRing(FINE_BUCKET_MS, FINE_SLOT_COUNT, COUNTERS.length);
  readonly #coarse = new TimeRing(COARSE_BUCKET_MS, COARSE_SLOT_COUNT, COUNTERS.length);

  /** Counts; negative amounts are dropped, because counters only grow. */
  record(nowMs: number, counter: Counter, amount: number): void {
    if (!(amount > 0)) return;
    const field = COUNTER_FIELDS[counter];
    this.#fine.add(nowMs, field, amount);
    this.#coarse.add(nowMs, field, amount);
  }

  /** What a counter rose by in the last `windowMs`, to one bucket: of 1 s up to 15 s, of 5 s up to 120 s. */
  sum(nowMs: number, windowMs: number, counter: Counter): number {
    const ring = windowMs <= FINE_MS ? this.#fine : this.#coarse;
    return ring.sum(nowMs, Math.ceil(windowMs / ring.bucketMs), COUNTER_FIELDS[counter]);
  }

  /** Writes into `sums`, one per counter in the order of `COUNTERS`, what `sum` says of each. */
  sumCounters(nowMs: number, windowMs: number, sums: Float64Array): void {
    const ring = windowMs <= FINE_MS ? this.#fine : this.#coarse;
    ring.sumFields(nowMs, Math.ceil(windowMs / ring.bucketMs), sums);
  }

  /** Adds this series' part, times `weight`, to the sums of `TRIP_WINDOWS_MS`. */
  addTripSums(nowMs: number, weight: number, sums: Float64Array): void {
    this.#fine.addWindowSums(nowMs, FINE_WINDOWS, COUNTER_TRIP_WEIGHTS, weight, sums, 0);
    this.#coarse.addWindowSums(
      nowMs,
      COARSE_WINDOWS,
      COUNTER_TRIP_WEIGHTS,
      weight,
      sums,
      FINE_WINDOWS.length,
    );
  }

  /**
   * Joins what another copy says. What the fine buckets rose by, one number per counter, is added to `recent` from
   * the bucket of `recentIndex` on, and to `older` before it: what became known to have been spent.
   */
  merge(
    value: SeriesValue,
    recentIndex = Number.NEGATIVE_INFINITY,
    older?: Float64Array,
    recent?: Float64Array,
  ): boolean {
    let rose = false;
    for (const bucket of value.fine) {
      rose = this.#fine.merge(bucket, bucket.index < recentIndex ? older : recent) || rose;
    }
    for (const bucket of value.coarse) rose = this.#coarse.merge(bucket) || rose;
    return rose;
  }

  /** From now on sums leave out what was counted up to now. The value form still holds it. */
  voidUntil(nowMs: number): void {
    this.#fine.voidUntil(nowMs);
    this.#coarse.voidUntil(nowMs);
  }

  /** As `voidUntil` for a moment of the past: what was counted since stays. */
  voidThrough(pastMs: number): void {
    this.#fine.voidThrough(pastMs);
    this.#coarse.voidThrough(pastMs);
  }

  /** The newest buckets as a value; all of them unless told how many. */
  toValue(fineCount = FINE_SLOT_COUNT, coarseCount = COARSE_SLOT_COUNT): SeriesValue {
    return { fine: this.#fine.list(fineCount), coarse: this.#coarse.list(coarseCount) };
  }
}
