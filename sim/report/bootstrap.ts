import { seededRandom } from "../../src/lib/random.ts";

/** A figure with its 95 % interval. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLE_COUNT = 2_000;
const TAIL_RATIO = 0.025;

/**
 * The percentile bootstrap over seeds: `figure` is worked out over resampled indexes 0 to
 * `count` − 1, so that whatever it reads by index stays paired. Repeatable. With one seed the
 * interval is the value.
 */
export function bootstrap(count: number, figure: (indexes: readonly number[]) => number): Interval {
  const all = Array.from({ length: count }, (_, index) => index);
  const value = figure(all);
  if (count < 2) return { value, low: value, high: value };
  const random = seededRandom(count * 7_919);
  const figures = Array.from({ length: RESAMPLE_COUNT }, () =>
    figure(all.map(() => Math.floor(random.next() * count))),
  ).toSorted((a, b) => a - b);
  const at = (ratio: number) => figures[Math.round(ratio * (RESAMPLE_COUNT - 1))] ?? value;
  return { value, low: at(TAIL_RATIO), high: at(1 - TAIL_RATIO) };
}

/** The mean of the values at some indexes. */
export function meanAt(values: readonly number[], indexes: readonly number[]): number {
  return indexes.reduce((sum, index) => sum + (values[index] ?? 0), 0) / Math.max(indexes.length, 1);
}
