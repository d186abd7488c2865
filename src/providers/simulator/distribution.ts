import type { Random } from "../../domain/ports.ts";
import type { Distribution } from "../../domain/simulation.ts";

/** The 95th percentile of the standard normal distribution. */
const Z95 = 1.6448536269514722;
/** Draws are cut at this many times the 95th percentile, so that no attempt takes for ever by chance. */
const MAX_P95_RATIO = 8;

/** A distribution that does not vary. */
export function always(value: number): Distribution {
  return { median: value, p95: value };
}

/**
 * Draws one value, 0 or more. Takes exactly two numbers from `random`, whatever the
 * distribution, so that a seed keeps its meaning when a distribution is changed.
 */
export function draw({ median, p95 }: Distribution, random: Random): number {
  // Box-Muller; 1 - u keeps the logarithm away from 0.
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  const normal = radius * Math.cos(2 * Math.PI * random.next());
  if (!(p95 > median) || median <= 0) return median;
  const sigma = Math.log(p95 / median) / Z95;
  return Math.min(median * Math.exp(sigma * normal), p95 * MAX_P95_RATIO);
}
