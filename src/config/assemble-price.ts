import type { PriceList } from "../domain/price-list.ts";
import type { ModelEntry } from "./schema/config-schema.ts";

type PriceEntry = NonNullable<ModelEntry["deployments"][number]["price"]>;

/** A deployment's price list. */
export function assemblePriceList({ currency, bands }: PriceEntry): PriceList {
  return {
    currency,
    bands: bands.map((band) => ({
      ...(band.below_input_tokens !== undefined && { belowInputTokens: band.below_input_tokens }),
      ...(band.below_output_tokens !== undefined && { belowOutputTokens: band.below_output_tokens }),
      inputNano: band.input,
      outputNano: band.output,
      ...(band.cached_input !== undefined && { cachedInputNano: band.cached_input }),
    })),
  };
}
