import { parseDecimal, scaleToWhole } from "./decimal.ts";
import { type Parsed, readAs, refuse } from "./parsed.ts";

/** The highest price, in USD per million tokens: its nano-USD stay far inside exact integers. */
const MAX_PRICE_USD = 1_000_000;
const NANO_PER_USD = 1_000_000_000;

/** What a right price would be, in words. */
export const PRICE_RIGHT = `US dollars per million tokens, from 0 to ${MAX_PRICE_USD}, with at most 9 decimals`;

/** Reads a price in USD as whole nano-USD, exactly: `0.07` is 70000000. */
export function parseUsdPrice(text: string): Parsed<number> {
  const decimal = parseDecimal(text);
  if (decimal === undefined) return refuse("is not a decimal number", PRICE_RIGHT);
  const priceNanoUsd = scaleToWhole(decimal, NANO_PER_USD, MAX_PRICE_USD * NANO_PER_USD);
  switch (priceNanoUsd) {
    case "fraction":
      return refuse("has more than 9 decimals", PRICE_RIGHT);
    case "negative":
      return refuse("is negative", PRICE_RIGHT);
    case "too_large":
      return refuse("is too high", PRICE_RIGHT);
    default:
      return readAs(priceNanoUsd);
  }
}
