/** Well-known models of other providers, by the provider's built-in name. Prices are list prices and drift; `catalog` changes them. */

import type { ModelCapabilities, ModelPrice, ModelTiers } from "../domain/deployment.ts";
import { type CatalogModel, usdPrice } from "./catalog-model.ts";

/** The providers beside Zhipu that have built-in models. */
export type ReferenceProvider = "openai" | "anthropic" | "gemini" | "deepseek" | "openrouter";

const SEES = { vision: true, tools: true, jsonObject: true, jsonSchema: true };
const READS = { ...SEES, vision: false };
const TALKS = { vision: false, tools: false, jsonObject: false, jsonSchema: false };
/** Its API has no member for a format: asked in words, it is not enforced. */
const SEES_UNENFORCED = { ...SEES, jsonSchema: false };

/** From this window on a model is fit for very long prompts. */
const LONG_CONTEXT_TOKENS = 200_000;

type Abilities = Omit<ModelCapabilities, "contextWindowTokens" | "maxOutputTokens" | "longContext">;

function makeModel(
  upstreamModel: string,
  abilities: Abilities,
  [contextWindowTokens, maxOutputTokens]: readonly [number, number],
  [speed, quality, cost]: readonly [number, number, number],
  price: ModelPrice | undefined,
): CatalogModel {
  const tiers: ModelTiers = { speed, quality, cost };
  const longContext = contextWindowTokens >= LONG_CONTEXT_TOKENS;
  return {
    name: upstreamModel,
    description: "",
    upstreamModel,
    capabilities: { ...abilities, contextWindowTokens, maxOutputTokens, longContext },
    tiers,
    price,
    thinking: undefined,
    taskSuitability: {},
  };
}

/** For each model: upstream name, window and longest answer, tiers of speed, quality and cost, USD in, out and cached. */
export const REFERENCE_MODELS: Readonly<Record<ReferenceProvider, readonly CatalogModel[]>> = {
  openai: [
    makeModel("gpt-4o-mini", SEES, [128_000, 16_384], [2, 2, 2], usdPrice(0.15, 0.6, 0.075)),
    makeModel("gpt-4.1-mini", SEES, [1_047_576, 32_768], [2, 3, 3], usdPrice(0.4, 1.6, 0.1)),
    makeModel("gpt-5-nano", SEES, [400_000, 128_000], [2, 2, 1], usdPrice(0.05, 0.4, 0.005)),
    makeModel("gpt-5-mini", SEES, [400_000, 128_000], [3, 4, 3], usdPrice(0.25, 2, 0.025)),
    makeModel("gpt-5.4-mini", SEES, [400_000, 128_000], [3, 4, 4], usdPrice(0.75, 4.5, 0.075)),
    makeModel("gpt-5.4", SEES, [1_050_000, 128_000], [4, 5, 5], usdPrice(2.5, 15, 0.25)),
  ],
  anthropic: [
    makeModel("claude-haiku-4-5", SEES_UNENFORCED, [200_000, 64_000], [2, 3, 4], usdPrice(1, 5, 0.1)),
    makeModel("claude-sonnet-5", SEES_UNENFORCED, [1_000_000, 128_000], [3, 5, 5], usdPrice(2, 10, 0.2)),
    makeModel("claude-opus-4-8", SEES_UNENFORCED, [1_000_000, 128_000], [4, 5, 5], usdPrice(5, 25, 0.5)),
  ],
  gemini: [
    makeModel("gemini-2.5-flash-lite", SEES, [1_048_576, 65_536], [1, 2, 1], usdPrice(0.1, 0.4, 0.01)),
    makeModel("gemini-2.5-flash", SEES, [1_048_576, 65_536], [2, 3, 3], usdPrice(0.3, 2.5, 0.03)),
    makeModel("gemini-3.5-flash", SEES, [1_048_576, 65_536], [2, 4, 4], usdPrice(1.5, 9, 0.15)),
  ],
  deepseek: [
    makeModel(
      "deepseek-v4-flash",
      { ...READS, jsonSchema: false },
      [1_000_000, 384_000],
      [2, 3, 1],
      usdPrice(0.14, 0.28, 0.0028),
    ),
    makeModel(
      "deepseek-v4-pro",
      { ...READS, jsonSchema: false },
      [1_000_000, 384_000],
      [4, 5, 3],
      usdPrice(0.435, 0.87, 0.003625),
    ),
  ],
  openrouter: [
    makeModel("meta-llama/llama-3.2-1b-instruct", TALKS, [60_000, 60_000], [1, 1, 1], usdPrice(0.027, 0.201)),
    makeModel(
      "meta-llama/llama-3.2-3b-instruct",
      TALKS,
      [80_000, 80_000],
      [1, 1, 1],
      usdPrice(0.0509, 0.335),
    ),
    // Gone from the listing of July 2026, as kat-coder-pro:free below: set aside as long as it is missing.
    makeModel("microsoft/phi-3-mini-128k-instruct", TALKS, [128_000, 4_096], [2, 1, 1], usdPrice(0.1, 0.1)),
    makeModel("microsoft/wizardlm-2-8x22b", TALKS, [65_535, 8_000], [4, 2, 3], usdPrice(0.62, 0.62)),
    makeModel("google/gemma-2-27b-it", TALKS, [8_192, 2_048], [3, 2, 3], usdPrice(0.65, 0.65)),
    makeModel(
      "mistralai/mistral-small-24b-instruct-2501",
      { ...TALKS, jsonObject: true, jsonSchema: true },
      [32_768, 16_384],
      [2, 2, 1],
      usdPrice(0.05, 0.08),
    ),
    makeModel(
      "kwaipilot/kat-coder-pro:free",
      { ...TALKS, tools: true },
      [256_000, 32_000],
      [3, 3, 1],
      usdPrice(0, 0),
    ),
    makeModel(
      "kwaipilot/kat-coder-pro-v2",
      { ...TALKS, tools: true },
      [256_000, 80_000],
      [3, 3, 3],
      usdPrice(0.3, 1.2),
    ),
    makeModel("undi95/remm-slerp-l2-13b", TALKS, [6_144, 4_096], [3, 1, 3], usdPrice(0.45, 0.65)),
  ],
};

/** Names of Zhipu's that OpenRouter serves too, as a second deployment: its name and price there. */
export const GLM_AT_OPENROUTER: ReadonlyMap<
  string,
  { readonly upstreamModel: string; readonly price: ModelPrice }
> = new Map([
  ["glm-4.6-flash", { upstreamModel: "z-ai/glm-4.7-flash", price: usdPrice(0.06, 0.4) }],
  ["glm-4.6", { upstreamModel: "z-ai/glm-4.6", price: usdPrice(0.43, 1.74) }],
  ["glm-4.6-long-plus", { upstreamModel: "z-ai/glm-5.2", price: usdPrice(1.4, 4.4) }],
  ["glm-4.6-vision", { upstreamModel: "z-ai/glm-4.6v", price: usdPrice(0.3, 0.9) }],
]);

/** A model of an Ollama server, of which nothing is known but its name: a small window, since the server keeps memory for it. */
export function ollamaModel(name: string): CatalogModel {
  return makeModel(
    name,
    { ...TALKS, tools: true, jsonObject: true, jsonSchema: true },
    [8_192, 4_096],
    [3, 2, 1],
    usdPrice(0, 0),
  );
}
