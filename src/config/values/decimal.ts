/** An exact decimal number: digits × 10^exponent. Zero has exponent 0; other digits do not end in 0. */
export interface Decimal {
  /** Carries the sign. */
  readonly digits: bigint;
  readonly exponent: number;
}

const DECIMAL = /^([-+]?)(\d*)(?:\.(\d*))?(?:e([-+]?\d{1,4}))?$/i;
const LONGEST_CHARS = 100;

/** Reads `12`, `0.07` or `1e-9` without rounding; undefined for anything else or over 100 characters. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = text.length <= LONGEST_CHARS ? DECIMAL.exec(text) : null;
  if (match === null) return undefined;
  const [, sign = "", whole = "", fraction = "", power = "0"] = match;
  const written = whole + fraction;
  if (written === "") return undefined;
  const kept = written.replace(/0+$/, "");
  if (kept === "") return { digits: 0n, exponent: 0 };
  const size = BigInt(kept);
  return {
    digits: sign === "-" ? -size : size,
    exponent: Number(power) - fraction.length + (written.length - kept.length),
  };
}

/**
 * The decimal times a whole number, when that is a whole number from 0 to `max`;
 * else `fraction` (not whole), `negative` or `too_large`.
 */
export function scaleToWhole(
  decimal: Decimal,
  factor: number,
  max: number,
): number | "fraction" | "negative" | "too_large" {
  if (decimal.digits < 0n) return "negative";
  if (decimal.digits === 0n) return 0;
  // Past these bounds the answer is known; computing the power could take for ever.
  if (decimal.exponent > 30) return "too_large";
  if (decimal.exponent < -130) return "fraction";
  const scaled = decimal.digits * BigInt(factor);
  const power = 10n ** BigInt(Math.abs(decimal.exponent));
  if (decimal.exponent < 0 && scaled % power !== 0n) return "fraction";
  const whole = decimal.exponent < 0 ? scaled / power : scaled * power;
  return whole > BigInt(max) ? "too_large" : Number(whole);
}
