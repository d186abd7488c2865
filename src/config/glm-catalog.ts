import type { ModelCapabilities, ModelPrice, ModelTiers, TaskType } from "../domain/deployment.ts";

/** A built-in model and what serves it at Zhipu. */
export interface GlmModel {
  readonly name: string;
  readonly description: string;
  readonly upstreamModel: string;
  readonly capabilities: ModelCapabilities;
  readonly tiers: ModelTiers;
  /** The list price on api.z.ai; undefined where there is none. */
  readonly price: ModelPrice | undefined;
  readonly requestOverrides: Readonly<Record<string, unknown>>;
  readonly taskSuitability: Readonly<Partial<Record<TaskType, number>>>;
}

/** The families of the names, and how well each does a task. */
const SUITABILITY = {
  flash: {
    text_generation: 0.7,
    code_generation: 0.6,
    analysis: 0.5,
    reasoning: 0.5,
    summarization: 0.8,
    translation: 0.7,
    classification: 0.8,
    extraction: 0.7,
    streaming: 0.9,
    batch_processing: 0.9,
  },
  standard: {
    text_generation: 0.85,
    code_generation: 0.8,
    analysis: 0.85,
    reasoning: 0.85,
    summarization: 0.85,
    translation: 0.85,
    classification: 0.8,
    extraction: 0.85,
    streaming: 0.8,
    batch_processing: 0.8,
  },
  air: {
    text_generation: 0.9,
    code_generation: 0.9,
    analysis: 0.95,
    reasoning: 0.95,
    summarization: 0.8,
    translation: 0.8,
    classification: 0.7,
    extraction: 0.8,
    streaming: 0.7,
    batch_processing: 0.6,
  },
  long: {
    long_context: 1,
    text_generation: 0.8,
    analysis: 0.9,
    reasoning: 0.8,
    summarization: 0.95,
    extraction: 0.9,
  },
  vision: {
    vision_analysis: 1,
    text_generation: 0.8,
    analysis: 0.9,
    reasoning: 0.8,
    extraction: 0.9,
  },
} as const satisfies Record<string, Partial<Record<TaskType, number>>>;

const THINKING_OFF = { thinking: { type: "disabled" } } as const;
const THINKING_ON = { thinking: { type: "enabled" } } as const;

const TEXT = { vision: false, tools: true, jsonObject: true, jsonSchema: false, longContext: true };

const price = (inputNanoUsd: number, outputNanoUsd: number, cachedInputNanoUsd?: number): ModelPrice => ({
  inputNanoUsd,
  outputNanoUsd,
  ...(cachedInputNanoUsd !== undefined && { cachedInputNanoUsd }),
});

/**
 * The ten built-in names. Each stands for another model at Zhipu, so that a fallback
 * never meets the limiter of the model that has just refused.
 */
export const GLM_MODELS: readonly GlmModel[] = [
  {
    name: "glm-4.6-flash",
    description: "Fast and free; few requests at once.",
    upstreamModel: "glm-4.7-flash",
    capabilities: { ...TEXT, contextWindowTokens: 200_000, maxOutputTokens: 131_072 },
    tiers: { speed: 1, quality: 2, cost: 1 },
    price: price(0, 0, 0),
    requestOverrides: THINKING_OFF,
    taskSuitability: SUITABILITY.flash,
  },
  {
    name: "glm-4.6-flash-plus",
    description: "Fast and cheap.",
    upstreamModel: "glm-4.7-flashx",
    capabilities: { ...TEXT, contextWindowTokens: 200_000, maxOutputTokens: 131_072 },
    tiers: { speed: 2, quality: 3, cost: 2 },
    price: price(70_000_000, 400_000_000, 10_000_000),
    requestOverrides: THINKING_OFF,
    taskSuitability: SUITABILITY.flash,
  },
  {
    name: "glm-4.6",
    description: "For everyday work.",
    upstreamModel: "glm-4.6",
    capabilities: { ...TEXT, contextWindowTokens: 204_800, maxOutputTokens: 131_072 },
    tiers: { speed: 3, quality: 3, cost: 3 },
    price: price(600_000_000, 2_200_000_000, 110_000_000),
    requestOverrides: THINKING_OFF,
    taskSuitability: SUITABILITY.standard,
  },
  {
    name: "glm-4.6-plus",
    description: "For everyday work, stronger.",
    upstreamModel: "glm-4.7",
    capabilities: { ...TEXT, contextWindowTokens: 204_800, maxOutputTokens: 131_072 },
    tiers: { speed: 3, quality: 4, cost: 3 },
    price: price(600_000_000, 2_200_000_000, 110_000_000),
    requestOverrides: THINKING_OFF,
    taskSuitability: SUITABILITY.standard,
  },
  {
    name: "glm-4.6-air",
    description: "For hard reasoning; thinks first.",
    upstreamModel: "glm-5",
    capabilities: { ...TEXT, contextWindowTokens: 204_800, maxOutputTokens: 131_072 },
    tiers: { speed: 4, quality: 4, cost: 4 },
    price: price(1_000_000_000, 3_200_000_000, 200_000_000),
    requestOverrides: THINKING_ON,
    taskSuitability: SUITABILITY.air,
  },
  {
    name: "glm-4.6-air-plus",
    description: "For the hardest reasoning; thinks first.",
    upstreamModel: "glm-5.1",
    capabilities: { ...TEXT, contextWindowTokens: 200_000, maxOutputTokens: 131_072 },
    tiers: { speed: 4, quality: 5, cost: 5 },
    price: price(1_400_000_000, 4_400_000_000, 260_000_000),
    requestOverrides: THINKING_ON,
    taskSuitability: SUITABILITY.air,
  },
  {
    name: "glm-4.6-long",
    description: "For prompts of up to a million tokens and short answers.",
    upstreamModel: "glm-4-long",
    capabilities: { ...TEXT, contextWindowTokens: 1_000_000, maxOutputTokens: 4_095 },
    tiers: { speed: 5, quality: 2, cost: 2 },
    price: undefined,
    requestOverrides: {},
    taskSuitability: SUITABILITY.long,
  },
  {
    name: "glm-4.6-long-plus",
    description: "For prompts of up to a million tokens and long answers.",
    upstreamModel: "glm-5.2",
    capabilities: { ...TEXT, contextWindowTokens: 1_000_000, maxOutputTokens: 131_072 },
    tiers: { speed: 5, quality: 5, cost: 5 },
    price: price(1_400_000_000, 4_400_000_000, 260_000_000),
    requestOverrides: THINKING_OFF,
    taskSuitability: SUITABILITY.long,
  },
  {
    name: "glm-4.6-vision",
    description: "Understands images.",
    upstreamModel: "glm-4.6v",
    capabilities: {
      ...TEXT,
      vision: true,
      jsonObject: false,
      contextWindowTokens: 128_000,
      maxOutputTokens: 32_768,
    },
    tiers: { speed: 3, quality: 3, cost: 2 },
    price: price(300_000_000, 900_000_000),
    requestOverrides: THINKING_OFF,
    taskSuitability: SUITABILITY.vision,
  },
  {
    name: "glm-4.6-vision-plus",
    description: "Understands images; thinks first.",
    upstreamModel: "glm-5v-turbo",
    capabilities: {
      ...TEXT,
      vision: true,
      tools: false,
      jsonObject: false,
      contextWindowTokens: 200_000,
      maxOutputTokens: 131_072,
    },
    tiers: { speed: 4, quality: 4, cost: 4 },
    price: price(1_200_000_000, 4_000_000_000, 240_000_000),
    requestOverrides: THINKING_ON,
    taskSuitability: SUITABILITY.vision,
  },
];

/**
 * What serves `glm-4.6-long` on api.z.ai, where `glm-4-long` does not exist: a model
 * with a smaller window. It is the one behind `glm-4.6-flash-plus` too.
 */
export const LONG_ON_ZAI: GlmModel = {
  name: "glm-4.6-long",
  description: "For prompts of up to 200,000 tokens.",
  upstreamModel: "glm-4.7-flashx",
  capabilities: { ...TEXT, contextWindowTokens: 200_000, maxOutputTokens: 131_072 },
  tiers: { speed: 5, quality: 2, cost: 2 },
  price: price(70_000_000, 400_000_000, 10_000_000),
  requestOverrides: THINKING_OFF,
  taskSuitability: SUITABILITY.long,
};
