/** What a provider charges, by its own list. */

/** Costs by different lists are counted apart and never converted. */
export type Currency = "USD" | "CNY";

/** Prices per million tokens, in billionths of the currency's unit. */
export interface PriceBand {
  /** Holds for prompts of fewer tokens than this; undefined: of any length. */
  readonly belowInputTokens?: number;
  /** Holds for answers of fewer tokens than this; undefined: of any length. */
  readonly belowOutputTokens?: number;
  readonly inputNano: number;
  readonly outputNano: number;
  /** Undefined: as other input. */
  readonly cachedInputNano?: number;
}

/** The bands in order: the first that holds is the price of the whole request; the last one always holds. */
export interface PriceList {
  readonly currency: Currency;
  readonly bands: readonly PriceBand[];
}
