/** Reads the values of options. Each function throws UsageError that names the option and what would be right. */

import { findNearName } from "../config/near-name.ts";
import { printable } from "./printable-text.ts";
import { UsageError } from "./usage-error.ts";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;
const MAX_INT32 = 2 ** 31 - 1;

/** A length of time with its unit (`250ms`, `30s`, `2m`, `1h`), in milliseconds; above 0. */
export function parseDurationOption(option: string, text: string): number {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  const ms = Number(amount) * (UNIT_MS[unit ?? ""] ?? Number.NaN);
  if (!(ms > 0)) {
    throw new UsageError(
      `--${option} "${printable(text)}" is no length of time. Write for example 250ms, 30s, 2m or 1h.`,
    );
  }
  return Math.ceil(ms);
}

/** A whole number of 1 or more that fits 32 bits. */
export function parseCountOption(option: string, text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > MAX_INT32) {
    throw new UsageError(`--${option} "${printable(text)}" is no whole number from 1 to ${MAX_INT32}.`);
  }
  return count;
}

/** A decimal number. Its range is the server's business. */
export function parseNumberOption(option: string, text: string): number {
  if (!/^-?\d+(?:\.\d+)?$/.test(text)) {
    throw new UsageError(`--${option} "${printable(text)}" is no number. Write for example 0.7.`);
  }
  return Number(text);
}

/** One of the given words; dashes and underscores, small and capital letters are alike. */
export function parseWordOption<Word extends string>(
  option: string,
  text: string,
  words: readonly Word[],
): Word {
  const normal = text.toLowerCase().replaceAll("-", "_");
  const found = words.find((word) => word === normal);
  if (found !== undefined) return found;
  const near = findNearName(normal, words);
  const hint = near === undefined ? "" : ` Did you mean ${near}?`;
  throw new UsageError(`--${option} "${printable(text)}" is none of ${words.join(", ")}.${hint}`);
}

/** A share of 0 to 1, also as percent: `0.95` or `95%`. */
export function parseRatioOption(option: string, text: string): number {
  const [, amount, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const ratio = Number(amount) / (percent === "%" ? 100 : 1);
  if (!(ratio >= 0 && ratio <= 1)) {
    throw new UsageError(
      `--${option} "${printable(text)}" is no share from 0 to 1. Write for example 0.95 or 95%.`,
    );
  }
  return ratio;
}

/** The most digits before the point, so that the billionths fit 64 bits. */
const MAX_DOLLAR_DIGITS = 9;

/** An amount of US dollars, exact to the billionth: `0.002` or `$0.002`. */
export function parseUsdOption(option: string, text: string): bigint {
  const [, dollars = "", fraction = ""] = /^\$?(\d+)(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  if (dollars === "" || dollars.length > MAX_DOLLAR_DIGITS) {
    throw new UsageError(
      `--${option} "${printable(text)}" is no amount of US dollars. Write for example 0.002, with at most 9 decimals.`,
    );
  }
  return BigInt(dollars) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
}
