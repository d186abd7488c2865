import type { ProviderConfig } from "../config/config.ts";
import type { Clock, Provider, Random } from "../domain/ports.ts";
import { createAnthropicProvider } from "./anthropic/anthropic-provider.ts";
import { createGeminiProvider } from "./gemini/gemini-provider.ts";
import { createGlmProvider } from "./glm/glm-provider.ts";
import { createOllamaProvider } from "./ollama/ollama-provider.ts";
import { createOpenAiProvider } from "./openai/openai-provider.ts";
import { createOpenRouterProvider } from "./openrouter/openrouter-provider.ts";
import { createSimulatorProvider } from "./simulator/simulator-provider.ts";

/** What providers need from outside. */
export interface ProviderDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Sent upstream as `user-agent`, for example `sluice/0.1.0`. */
  readonly userAgent: string;
}

/** Makes the configured providers, by name. Nothing is connected yet; close each of them in the end. */
export function buildProviders(
  configs: readonly ProviderConfig[],
  deps: ProviderDeps,
): ReadonlyMap<string, Provider> {
  return new Map(configs.map((config) => [config.name, buildProvider(config, deps)]));
}

function buildProvider(config: ProviderConfig, deps: ProviderDeps): Provider {
  switch (config.kind) {
    case "openai":
      return createOpenAiProvider(config, deps);
    case "glm":
      return createGlmProvider(config, deps);
    case "openrouter":
      return createOpenRouterProvider(config, deps);
    case "gemini":
      return createGeminiProvider(config, deps);
    case "anthropic":
      return createAnthropicProvider(config, deps);
    case "ollama":
      return createOllamaProvider(config, deps);
    case "simulator":
      return createSimulatorProvider(config, deps);
  }
}
