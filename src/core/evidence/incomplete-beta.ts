/** The beta distribution. Sources: Lanczos (1964) for ln Γ; Abramowitz and Stegun 26.5.8 for the continued fraction. */

const LANCZOS = [
  76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155, 1.208650973866179e-3,
  -5.395239384953e-6,
];
const MAX_TERM_COUNT = 300;
const TINY = 1e-300;
const PRECISION = 1e-12;
const MAX_STEP_COUNT = 80;
/** How exact a quantile is. */
const QUANTILE_PRECISION = 1e-7;

/** The logarithm of the gamma function for x > 0; error below 2e-10. */
function lnGamma(x: number): number {
  const shifted = x + 5.5 - (x + 0.5) * Math.log(x + 5.5);
  let sum = 1.000000000190015;
  for (let term = 0; term < LANCZOS.length; term++) sum += (LANCZOS[term] ?? 0) / (x + 1 + term);
  return Math.log((2.5066282746310007 * sum) / x) - shifted;
}

/** Probability that a Beta(a, b) variable is at most x. `a` and `b` above 0, x from 0 to 1. */
export function betaProbability(x: number, a: number, b: number): number {
  return probabilityAt(x, a, b, lnBeta(a, b));
}

/**
 * The value that a Beta(a, b) variable does not exceed with probability `ratio`
 * (between 0 and 1), to 1e-7. Newton's steps, held inside a bracket that shrinks.
 */
export function betaQuantile(ratio: number, a: number, b: number): number {
  const logBeta = lnBeta(a, b);
  let low = 0;
  let high = 1;
  let x = a / (a + b);
  for (let step = 0; step < MAX_STEP_COUNT && high - low > QUANTILE_PRECISION; step++) {
    const error = probabilityAt(x, a, b, logBeta) - ratio;
    if (error > 0) high = x;
    else low = x;
    const density = Math.exp((a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x) - logBeta);
    const next = x - error / density;
    const moved = next > low && next < high ? next : (low + high) / 2;
    if (Math.abs(moved - x) < QUANTILE_PRECISION / 10) return moved;
    x = moved;
  }
  return x;
}

function lnBeta(a: number, b: number): number {
  return lnGamma(a) + lnGamma(b) - lnGamma(a + b);
}

function probabilityAt(x: number, a: number, b: number, logBeta: number): number {
  if (!(x > 0)) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta);
  // The fraction converges quickly only on one side of the mean; the other is its mirror.
  return x < (a + 1) / (a + b + 2)
    ? (front * continueFraction(x, a, b)) / a
    : 1 - (front * continueFraction(1 - x, b, a)) / b;
}

/** The continued fraction by Lentz's method. */
function continueFraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / avoidZero(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m <= MAX_TERM_COUNT; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / avoidZero(1 + even * d);
    c = avoidZero(1 + even / c);
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / avoidZero(1 + odd * d);
    c = avoidZero(1 + odd / c);
    value *= d * c;
    if (Math.abs(d * c - 1) < PRECISION) break;
  }
  return value;
}

function avoidZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}
