/** What tokens cost. Pure, in whole nano-USD. */

import type { ModelPrice } from "../domain/deployment.ts";
import type { Usage } from "../domain/usage.ts";

/** Prices are per this many tokens. */
const TOKENS_PER_PRICE = 1_000_000n;

/**
 * Adds the cost to a usage. A cost that the provider itself named stays; without
 * a price or without both counts it stays unknown. Cached tokens are part of the
 * input and are charged at their own price where there is one. Rounded half up
 * once, at the end, to a nano-USD.
 */
export function priceUsage(usage: Usage, price: ModelPrice | undefined): Usage {
  if (usage.costNanoUsd !== undefined || price === undefined) return usage;
  const { inputTokens, outputTokens } = usage;
  if (inputTokens === undefined || outputTokens === undefined) return usage;
  const cachedTokens = Math.min(usage.cachedInputTokens ?? 0, inputTokens);
  // BigInt, because a million tokens at a high price pass 2^53.
  const total =
    BigInt(inputTokens - cachedTokens) * BigInt(price.inputNanoUsd) +
    BigInt(cachedTokens) * BigInt(price.cachedInputNanoUsd ?? price.inputNanoUsd) +
    BigInt(outputTokens) * BigInt(price.outputNanoUsd);
  return { ...usage, costNanoUsd: Number((total + TOKENS_PER_PRICE / 2n) / TOKENS_PER_PRICE) };
}
