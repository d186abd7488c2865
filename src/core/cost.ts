/** What tokens cost. Pure, in whole billionths of the list's currency. */

import type { Deployment, Model, ModelPrice } from "../domain/deployment.ts";
import type { PriceBand, PriceList } from "../domain/price-list.ts";
import type { Usage } from "../domain/usage.ts";

/** Prices are per this many tokens. */
const TOKENS_PER_PRICE = 1_000_000n;

/** The list that a deployment is billed by: its own, else its model's in US dollars. */
export function findPriceList(deployment: Deployment, { price }: Model): PriceList | undefined {
  return deployment.price ?? (price && { currency: "USD", bands: [toBand(price)] });
}

function toBand({ inputNanoUsd, outputNanoUsd, cachedInputNanoUsd }: ModelPrice): PriceBand {
  return {
    inputNano: inputNanoUsd,
    outputNano: outputNanoUsd,
    ...(cachedInputNanoUsd === undefined ? {} : { cachedInputNano: cachedInputNanoUsd }),
  };
}

/** The band for a request; undefined where the list has none for it. */
export function findBand(
  { bands }: PriceList,
  inputTokens: number,
  outputTokens: number,
): PriceBand | undefined {
  for (const band of bands) {
    const { belowInputTokens = Infinity, belowOutputTokens = Infinity } = band;
    if (inputTokens < belowInputTokens && outputTokens < belowOutputTokens) return band;
  }
  return undefined;
}

/**
 * Adds the cost to a usage. A cost that the provider itself named stays; without
 * a price or without both counts it stays unknown. Cached tokens are part of the
 * input and are charged at their own price where there is one. Rounded half up
 * once, at the end, to a billionth.
 */
export function priceUsage(usage: Usage, list: PriceList | undefined): Usage {
  if (usage.costNanoUsd !== undefined || list === undefined) return usage;
  const { inputTokens, outputTokens } = usage;
  if (inputTokens === undefined || outputTokens === undefined) return usage;
  const band = findBand(list, inputTokens, outputTokens);
  if (band === undefined) return usage;
  const cachedTokens = Math.min(usage.cachedInputTokens ?? 0, inputTokens);
  // BigInt, because a million tokens at a high price pass 2^53.
  const total =
    BigInt(inputTokens - cachedTokens) * BigInt(band.inputNano) +
    BigInt(cachedTokens) * BigInt(band.cachedInputNano ?? band.inputNano) +
    BigInt(outputTokens) * BigInt(band.outputNano);
  const cost = Number((total + TOKENS_PER_PRICE / 2n) / TOKENS_PER_PRICE);
  return list.currency === "USD" ? { ...usage, costNanoUsd: cost } : { ...usage, costNanoCny: cost };
}
