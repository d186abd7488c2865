import type { ModelCapabilities, ModelPrice, ModelTiers, TaskType } from "../domain/deployment.ts";
import type { PriceBand } from "../domain/price-list.ts";

/** A built-in model and what serves it at its maker. */
export interface CatalogModel {
  readonly name: string;
  readonly description: string;
  readonly upstreamModel: string;
  readonly capabilities: ModelCapabilities;
  readonly tiers: ModelTiers;
  /** The maker's list price in US dollars; undefined where there is none. */
  readonly price: ModelPrice | undefined;
  /** Whether it thinks before the answer where neither request nor priority says; undefined where it has no choice. */
  readonly thinking: boolean | undefined;
  readonly taskSuitability: Readonly<Partial<Record<TaskType, number>>>;
}

/** A model of Zhipu's: it has a price list of its own on bigmodel.cn. */
export interface GlmModel extends CatalogModel {
  readonly bandsCny: readonly PriceBand[];
}

/** US dollars per million tokens. */
export function usdPrice(inputUsd: number, outputUsd: number, cachedInputUsd?: number): ModelPrice {
  const nano = (usd: number) => Math.round(usd * 1e9);
  return {
    inputNanoUsd: nano(inputUsd),
    outputNanoUsd: nano(outputUsd),
    ...(cachedInputUsd !== undefined && { cachedInputNanoUsd: nano(cachedInputUsd) }),
  };
}
