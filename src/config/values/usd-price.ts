import { parseDecimal, scaleToWhole } from "./decimal.ts";
import { type Parsed, readAs, refuse } from "./parsed.ts";

/** The highest price, in USD per million tokens: its nano-USD stay far inside exact integers. */
const MAX_PRICE_USD = 1_000_000;
const NANO_PER_USD = 1_000_000_000;

/** What a right price would be, in words. */
export const PRICE_RIGHT = `US dollars per million tokens, from 0 to ${MAX_PRICE_USD}, with at most 9 decimals`;

/** What a right price in any currency would be, in words. */
export const LIST_PRICE_RIGHT = `the price per million tokens, from 0 to ${MAX_PRICE_USD}, with at most 9 decimals`;

/** Reads a price in USD as whole nano-USD, exactly: `0.07` is 70000000. */
export function parseUsdPrice(text: string): Parsed<number> {
  return parsePrice(text, PRICE_RIGHT);
}

/** Reads a price in any currency as whole billionths of its unit. */
export function parseListPrice(text: string): Parsed<number> {
  return parsePrice(text, LIST_PRICE_RIGHT);
}

function parsePrice(text: string, right: string): Parsed<number> {
  const decimal = parseDecimal(text);
  if (decimal === undefined) return refuse("is not a decimal number", right);
  const priceNanoUsd = scaleToWhole(decimal, NANO_PER_USD, MAX_PRICE_USD * NANO_PER_USD);
  switch (priceNanoUsd) {
    case "fraction":
      return refuse("has more than 9 decimals", right);
    case "negative":
      return refuse("is negative", right);
    case "too_large":
      return refuse("is too high", right);
    default:
      return readAs(priceNanoUsd);
  }
}
