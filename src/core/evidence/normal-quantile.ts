const CENTRE_TOP = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
  2.506628277459239,
];
const CENTRE_BOTTOM = [
  -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1,
];
const TAIL_TOP = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const TAIL_BOTTOM = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
/** Where the tails begin. */
const TAIL_RATIO = 0.02425;
/** Ratios nearer to 0 or 1 than this answer as if they were this near. */
const MIN_RATIO = 1e-12;

/**
 * The value that a standard normal variable does not exceed with probability `ratio`
 * (0 to 1), by Acklam's rational approximation: relative error below 1.2e-9. Finite
 * for every input; what is not a number counts as 0.5.
 */
export function normalQuantile(ratio: number): number {
  const p = Number.isNaN(ratio) ? 0.5 : Math.min(Math.max(ratio, MIN_RATIO), 1 - MIN_RATIO);
  if (p < TAIL_RATIO) return lowerTail(p);
  if (p > 1 - TAIL_RATIO) return -lowerTail(1 - p);
  const q = p - 0.5;
  return (q * evaluate(CENTRE_TOP, q * q)) / evaluate(CENTRE_BOTTOM, q * q);
}

function lowerTail(p: number): number {
  const q = Math.sqrt(-2 * Math.log(p));
  return evaluate(TAIL_TOP, q) / evaluate(TAIL_BOTTOM, q);
}

/** The polynomial with these coefficients, highest power first. */
function evaluate(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (const coefficient of coefficients) value = value * x + coefficient;
  return value;
}
