/** Bounds on evidence that comes from outside. */

import {
  COARSE_BUCKET_MS,
  COARSE_SLOT_COUNT,
  COUNTER_FIELDS,
  COUNTERS,
  FINE_BUCKET_MS,
  FINE_SLOT_COUNT,
  type SeriesValue,
} from "./bucket-series.ts";
import type { TimeBucket } from "./time-ring.ts";

/** The most events one bucket of a second may claim; five times that for coarse ones. */
const MAX_EVENTS_PER_SECOND = 100_000;
/** The most tokens one bucket of a second may claim. */
const MAX_TOKENS_PER_SECOND = 1e9;

/**
 * What is wrong with a series from a peer, as a sentence that names the field, or
 * undefined when it may be merged. `sentMs` is the sender's own time of sending: no
 * bucket may lie after it.
 */
export function findSeriesProblem(value: SeriesValue, sentMs: number): string | undefined {
  if (!Number.isFinite(sentMs)) return "sentMs: must be a finite number";
  return (
    findRingProblem("fine", value.fine, FINE_BUCKET_MS, FINE_SLOT_COUNT, sentMs) ??
    findRingProblem("coarse", value.coarse, COARSE_BUCKET_MS, COARSE_SLOT_COUNT, sentMs)
  );
}

function findRingProblem(
  name: string,
  buckets: readonly TimeBucket[],
  bucketMs: number,
  slotCount: number,
  sentMs: number,
): string | undefined {
  if (buckets.length > slotCount) return `${name}: has ${buckets.length} buckets, at most ${slotCount}`;
  const lastIndex = Math.floor(sentMs / bucketMs);
  const seen = new Set<number>();
  for (const [position, { index, values }] of buckets.entries()) {
    const field = `${name}[${position}]`;
    if (!Number.isSafeInteger(index)) return `${field}.index: must be a whole number`;
    if (index > lastIndex) return `${field}.index: lies after the time of sending`;
    if (seen.has(index)) return `${field}.index: stands twice`;
    seen.add(index);
    if (values.length !== COUNTERS.length) return `${field}.values: must be ${COUNTERS.length} counters`;
    const problem = findCounterProblem(values, bucketMs / 1_000);
    if (problem !== undefined) return `${field}.values.${problem}`;
  }
  return undefined;
}

function findCounterProblem(values: readonly number[], seconds: number): string | undefined {
  for (const counter of COUNTERS) {
    const value = values[COUNTER_FIELDS[counter]] ?? Number.NaN;
    const perSecond = counter.endsWith("Tokens") ? MAX_TOKENS_PER_SECOND : MAX_EVENTS_PER_SECOND;
    if (!Number.isSafeInteger(value) || value < 0 || value > perSecond * seconds) {
      return `${counter}: must be a whole number from 0 to ${perSecond * seconds}`;
    }
  }
  return undefined;
}
