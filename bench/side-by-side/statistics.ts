/** The middle value, or the mean of the two middle ones. NaN for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? Number.NaN : (upper + lower) / 2;
}

/** `value` over `base`; undefined where either is unknown or the base is 0. */
export function ratio(value: number | undefined, base: number | undefined): number | undefined {
  if (value === undefined || base === undefined || base === 0) return undefined;
  const result = value / base;
  return Number.isFinite(result) ? result : undefined;
}

/** How far repetitions lie apart: (largest - smallest) / median, 0 or more. 0 for fewer than two. */
export function spreadRatio(values: readonly number[]): number {
  if (values.length < 2) return 0;
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/** The median of each member over several samples of one shape. */
export function medianSample<Sample extends Record<keyof Sample, number>>(
  samples: readonly Sample[],
): Sample | undefined {
  const first = samples[0];
  if (first === undefined) return undefined;
  const names = Object.keys(first) as (keyof Sample)[];
  const entries = names.map((name) => [name, median(samples.map((sample) => sample[name]))]);
  return Object.fromEntries(entries) as Sample;
}
