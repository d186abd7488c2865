import type { TaskType } from "../domain/deployment.ts";
import type { PriceBand } from "../domain/price-list.ts";
import { type GlmModel, usdPrice } from "./catalog-model.ts";

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

const TEXT = { vision: false, tools: true, jsonObject: true, jsonSchema: false, longContext: true };

/** Yuan per million tokens. */
const yuan = (
  input: number,
  cached: number,
  output: number,
  limits: { readonly belowInput?: number; readonly belowOutput?: number } = {},
): PriceBand => ({
  ...(limits.belowInput !== undefined && { belowInputTokens: limits.belowInput }),
  ...(limits.belowOutput !== undefined && { belowOutputTokens: limits.belowOutput }),
  inputNano: Math.round(input * 1e9),
  cachedInputNano: Math.round(cached * 1e9),
  outputNano: Math.round(output * 1e9),
});

/** Where the lists of bigmodel.cn go up. */
const SHORT = { belowInput: 32_000 };
const SHORT_BOTH = { belowInput: 32_000, belowOutput: 200 };

const BANDS_OF_4_6 = [yuan(2, 0.4, 8, SHORT_BOTH), yuan(3, 0.6, 14, SHORT), yuan(4, 0.8, 16)];
const BANDS_OF_4_7_FLASHX = [yuan(0.5, 0.1, 3)];

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
    price: usdPrice(0, 0, 0),
    bandsCny: [yuan(0, 0, 0)],
    thinking: false,
    taskSuitability: SUITABILITY.flash,
  },
  {
    name: "glm-4.6-flash-plus",
    description: "Fast and cheap.",
    upstreamModel: "glm-4.7-flashx",
    capabilities: { ...TEXT, contextWindowTokens: 200_000, maxOutputTokens: 131_072 },
    tiers: { speed: 2, quality: 3, cost: 2 },
    price: usdPrice(0.07, 0.4, 0.01),
    bandsCny: BANDS_OF_4_7_FLASHX,
    thinking: false,
    taskSuitability: SUITABILITY.flash,
  },
  {
    name: "glm-4.6",
    description: "For everyday work.",
    upstreamModel: "glm-4.6",
    capabilities: { ...TEXT, contextWindowTokens: 204_800, maxOutputTokens: 131_072 },
    tiers: { speed: 3, quality: 3, cost: 3 },
    price: usdPrice(0.6, 2.2, 0.11),
    bandsCny: BANDS_OF_4_6,
    thinking: false,
    taskSuitability: SUITABILITY.standard,
  },
  {
    name: "glm-4.6-plus",
    description: "For everyday work, stronger.",
    upstreamModel: "glm-4.7",
    capabilities: { ...TEXT, contextWindowTokens: 204_800, maxOutputTokens: 131_072 },
    tiers: { speed: 3, quality: 4, cost: 3 },
    price: usdPrice(0.6, 2.2, 0.11),
    bandsCny: BANDS_OF_4_6,
    thinking: false,
    taskSuitability: SUITABILITY.standard,
  },
  {
    name: "glm-4.6-air",
    description: "For hard reasoning; thinks first.",
    upstreamModel: "glm-5",
    capabilities: { ...TEXT, contextWindowTokens: 204_800, maxOutputTokens: 131_072 },
    tiers: { speed: 4, quality: 4, cost: 4 },
    price: usdPrice(1, 3.2, 0.2),
    bandsCny: [yuan(4, 1, 18, SHORT), yuan(6, 1.5, 22)],
    thinking: true,
    taskSuitability: SUITABILITY.air,
  },
  {
    name: "glm-4.6-air-plus",
    description: "For the hardest reasoning; thinks first.",
    upstreamModel: "glm-5.1",
    capabilities: { ...TEXT, contextWindowTokens: 200_000, maxOutputTokens: 131_072 },
    tiers: { speed: 4, quality: 5, cost: 5 },
    price: usdPrice(1.4, 4.4, 0.26),
    bandsCny: [yuan(6, 1.3, 24, SHORT), yuan(8, 2, 28)],
    thinking: true,
    taskSuitability: SUITABILITY.air,
  },
  {
    name: "glm-4.6-long",
    description: "For prompts of up to a million tokens and short answers.",
    upstreamModel: "glm-4-long",
    capabilities: { ...TEXT, contextWindowTokens: 1_000_000, maxOutputTokens: 4_095 },
    tiers: { speed: 5, quality: 2, cost: 2 },
    price: undefined,
    bandsCny: [yuan(1, 0.5, 1)],
    thinking: undefined,
    taskSuitability: SUITABILITY.long,
  },
  {
    name: "glm-4.6-long-plus",
    description: "For prompts of up to a million tokens and long answers.",
    upstreamModel: "glm-5.2",
    capabilities: { ...TEXT, contextWindowTokens: 1_000_000, maxOutputTokens: 131_072 },
    tiers: { speed: 5, quality: 5, cost: 5 },
    price: usdPrice(1.4, 4.4, 0.26),
    bandsCny: [yuan(8, 2, 28)],
    thinking: false,
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
    price: usdPrice(0.3, 0.9),
    bandsCny: [yuan(1, 0.2, 3, SHORT), yuan(2, 0.4, 6)],
    thinking: false,
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
    price: usdPrice(1.2, 4, 0.24),
    bandsCny: [yuan(5, 1.2, 22, SHORT), yuan(7, 1.8, 26)],
    thinking: true,
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
  price: usdPrice(0.07, 0.4, 0.01),
  bandsCny: BANDS_OF_4_7_FLASHX,
  thinking: false,
  taskSuitability: SUITABILITY.long,
};
