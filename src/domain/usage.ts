/** Token counts and cost. Unknown is `undefined`, never zero. */
export interface Usage {
  /** Tokens of the prompt, cached ones included. */
  readonly inputTokens?: number;
  /** Tokens of the answer, reasoning included. */
  readonly outputTokens?: number;
  /** Part of `inputTokens` read from the provider's cache. */
  readonly cachedInputTokens?: number;
  /** Part of `outputTokens` spent on reasoning. */
  readonly reasoningTokens?: number;
  /** Billionths of a US dollar, whole. */
  readonly costNanoUsd?: number;
  /** Billionths of a yuan, whole; by a price list in that currency, instead of the other. */
  readonly costNanoCny?: number;
}
