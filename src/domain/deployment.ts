/** Models, and the deployments that serve them. */

import type { ParameterRules } from "./parameter-rules.ts";
import type { PriceList } from "./price-list.ts";

/** The tasks of the contract; see `TaskType` in generation.proto. */
export const TASK_TYPES = [
  "text_generation",
  "code_generation",
  "analysis",
  "reasoning",
  "summarization",
  "translation",
  "classification",
  "extraction",
  "vision_analysis",
  "long_context",
  "streaming",
  "batch_processing",
] as const;

export type TaskType = (typeof TASK_TYPES)[number];

/** What a model can do. */
export interface ModelCapabilities {
  /** Prompt and answer together. */
  readonly contextWindowTokens: number;
  readonly maxOutputTokens: number;
  readonly vision: boolean;
  readonly tools: boolean;
  readonly jsonObject: boolean;
  readonly jsonSchema: boolean;
  readonly longContext: boolean;
}

/** 1 to 5. Speed and cost: 1 is best. Quality: 5 is best. */
export interface ModelTiers {
  readonly speed: number;
  readonly quality: number;
  readonly cost: number;
}

/** List prices in nano-USD per million tokens. */
export interface ModelPrice {
  readonly inputNanoUsd: number;
  readonly outputNanoUsd: number;
  readonly cachedInputNanoUsd?: number;
}

/** A name callers ask for. */
export interface Model {
  readonly name: string;
  readonly description: string;
  readonly capabilities: ModelCapabilities;
  readonly tiers: ModelTiers;
  /** Undefined when the catalog has no price: cost is then unknown, not zero. */
  readonly price: ModelPrice | undefined;
  /** How well the model does a task, 0 to 1; a task that is absent counts as 0.5. */
  readonly taskSuitability: Readonly<Partial<Record<TaskType, number>>>;
  /** In order of preference; never empty. */
  readonly deployments: readonly Deployment[];
}

/** Provider + upstream model + endpoint + credential: the thing that is healthy or not. */
export interface Deployment {
  /** Unique in the configuration, for example `zhipu/glm-4.7-flash`. */
  readonly id: string;
  /** The catalog model it serves. */
  readonly model: string;
  /** The provider's name in the configuration. */
  readonly provider: string;
  /** The model's name at the provider. */
  readonly upstreamModel: string;
  readonly simulated: boolean;
  /** Members added to the request body sent upstream, as the operator wrote them. */
  readonly requestOverrides: Readonly<Record<string, unknown>>;
  /** The most attempts in flight at once; undefined means no limit. */
  readonly concurrencyLimit: number | undefined;
  /** The least time between two attempts that start here; undefined means none. */
  readonly minIntervalMs?: number;
  /** Whether it thinks before the answer where neither request nor priority says; undefined leaves it to the provider. */
  readonly thinking?: boolean;
  /** What its model can do, for adapters that must say so upstream; undefined where it is not known. */
  readonly capabilities?: ModelCapabilities;
  /** What it is billed by, where that is not its model's price. */
  readonly price?: PriceList;
  /** Which parameters it takes; undefined means all. */
  readonly parameters?: ParameterRules;
}
