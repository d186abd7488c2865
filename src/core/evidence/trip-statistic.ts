/** When failures are more than bad luck: a sequential likelihood test over windows of time. */

import {
  COARSE_BUCKET_MS,
  COARSE_SLOT_COUNT,
  COARSE_WINDOWS,
  FINE_BUCKET_MS,
  FINE_SLOT_COUNT,
  FINE_WINDOWS,
  TRIP_WINDOWS_MS,
} from "./bucket-series.ts";
import { type EvidenceKind, FAILURE_WEIGHTS, TRIP_WEIGHTS } from "./outcome-door.ts";
import { type FailureCounts, SequentialRun } from "./sequential-run.ts";
import { TimeRing } from "./time-ring.ts";

/**
 * Evidence from which on a deployment counts as failed: five weak failures in a row are 8, three hard ones with two
 * answers among them 8.32. Answers that began before an outage still end well while it lasts.
 */
export const TRIP_THRESHOLD = 8;
/** The same while it is on trial: just closed, or its provider's other deployments have tripped. */
export const TRIAL_TRIP_THRESHOLD = 4.5;

/** What one ring of own evidence weighs: it holds sums of weights already. */
const UNIT_WEIGHTS = [1];

/** Room for one sum per window of `TRIP_WINDOWS_MS`. */
export function makeTripSums(): Float64Array {
  return new Float64Array(TRIP_WINDOWS_MS.length);
}

/** The trip statistic G of window sums: the largest, 0 or more. */
export function computeTripStatistic(sums: Float64Array): number {
  let largest = 0;
  for (let window = 0; window < sums.length; window++) {
    const sum = sums[window] ?? 0;
    if (sum > largest) largest = sum;
  }
  return largest;
}

/** A run of evidence ends after this long without any. */
const RUN_MEMORY_MS = 120_000;

/**
 * This replica's own evidence for the trip statistic. Unlike the shared counters it
 * can be cleared: an outage that is over is not held against the deployment again.
 * And it knows the order of events, so its own statistic is the exact sequential test
 * (CUSUM: the sum since it was last 0, at least that of every window). The windows
 * alone would need 40 attempts at p95 to see 30 % errors, this needs 34.
 */
export class TripSeries {
  readonly #fine = new TimeRing(FINE_BUCKET_MS, FINE_SLOT_COUNT, 1);
  readonly #coarse = new TimeRing(COARSE_BUCKET_MS, COARSE_SLOT_COUNT, 1);
  readonly #run = new SequentialRun(RUN_MEMORY_MS);

  /** Adds one ended attempt's evidence. */
  record(nowMs: number, kind: EvidenceKind): void {
    const weight = TRIP_WEIGHTS[kind];
    if (weight === 0) return;
    this.#add(nowMs, weight, kind === "weak" ? 0.5 : 1, FAILURE_WEIGHTS[kind]);
  }

  /** Takes one piece of evidence back that was recorded lately and turned out not to be true. */
  retract(nowMs: number, kind: EvidenceKind): void {
    this.#add(nowMs, -TRIP_WEIGHTS[kind], 0, 0);
  }

  /** Adds the sums of `TRIP_WINDOWS_MS` to `sums`. */
  addTripSums(nowMs: number, sums: Float64Array): void {
    this.#fine.addWindowSums(nowMs, FINE_WINDOWS, UNIT_WEIGHTS, 1, sums, 0);
    this.#coarse.addWindowSums(nowMs, COARSE_WINDOWS, UNIT_WEIGHTS, 1, sums, FINE_WINDOWS.length);
  }

  /** G over this replica's own evidence: 0 or more. */
  statistic(nowMs: number): number {
    return this.#run.statistic(nowMs);
  }

  /** The run of evidence that the statistic stands on; half an attempt for weak evidence. */
  readRun(nowMs: number): FailureCounts {
    return this.#run.readCounts(nowMs);
  }

  /** Forgets everything: the breaker has closed. */
  clear(): void {
    this.#fine.clear();
    this.#coarse.clear();
    this.#run.clear();
  }

  #add(nowMs: number, weight: number, attemptCount: number, failureCount: number): void {
    if (weight === 0) return;
    this.#fine.add(nowMs, 0, weight);
    this.#coarse.add(nowMs, 0, weight);
    this.#run.add(nowMs, weight, attemptCount, failureCount);
  }
}
