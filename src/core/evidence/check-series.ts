/** Bounds on evidence that comes from outside. */

import {
  COARSE_BUCKET_MS,
  COARSE_SLOT_COUNT,
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
  let highestIndex = Number.NEGATIVE_INFINITY;
  for (let position = 0; position < buckets.length; position++) {
    const bucket = buckets[position];
    if (bucket === undefined) continue;
    const { index, values } = bucket;
    // As a rule they ascend: then none stands twice.
    const repeats = index <= highestIndex && buckets.findIndex((each) => each.index === index) < position;
    const problem =
      findIndexProblem(index, lastIndex, repeats) ?? findCounterProblem(values, bucketMs / 1_000);
    if (problem !== undefined) return `${name}[${position}].${problem}`;
    highestIndex = Math.max(highestIndex, index);
  }
  return undefined;
}

function findIndexProblem(index: number, lastIndex: number, repeats: boolean): string | undefined {
  if (!Number.isSafeInteger(index)) return "index: must be a whole number";
  if (index > lastIndex) return "index: lies after the time of sending";
  return repeats ? "index: stands twice" : undefined;
}

/** By the position of each counter: the most that a bucket of a second may claim. */
const MOST_PER_SECOND = COUNTERS.map((counter) =>
  counter.endsWith("Tokens") ? MAX_TOKENS_PER_SECOND : MAX_EVENTS_PER_SECOND,
);

/** What may be told of a counter, by its position: a provider may say that one answer took any number of tokens. */
export function boundCounter(field: number, value: number, bucketMs: number): number {
  return Math.min(value, ((MOST_PER_SECOND[field] ?? 0) * bucketMs) / 1_000);
}

function findCounterProblem(values: readonly number[], seconds: number): string | undefined {
  if (values.length !== COUNTERS.length) return `values: must be ${COUNTERS.length} counters`;
  for (let field = 0; field < COUNTERS.length; field++) {
    const value = values[field] ?? Number.NaN;
    const most = (MOST_PER_SECOND[field] ?? 0) * seconds;
    if (!Number.isSafeInteger(value) || value < 0 || value > most) {
      return `values.${COUNTERS[field]}: must be a whole number from 0 to ${most}`;
    }
  }
  return undefined;
}
