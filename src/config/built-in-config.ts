import type { Deployment, Model, ModelPrice } from "../domain/deployment.ts";
import type { PriceList } from "../domain/price-list.ts";
import { assembleProvider, type CatalogConfig } from "./assemble-config.ts";
import { BUILT_IN_SOURCES, type BuiltInSource } from "./built-in-sources.ts";
import type { CatalogModel } from "./catalog-model.ts";
import type { ProviderConfig } from "./config.ts";
import { GLM_MODELS, LONG_ON_ZAI } from "./glm-catalog.ts";
import type { Env } from "./interpolate.ts";
import type { CatalogNames, KnownName } from "./known-names.ts";
import { findParameterRules } from "./parameter-rules.ts";
import type { ConfigProblem } from "./problem.ts";
import { GLM_AT_OPENROUTER, ollamaModel, REFERENCE_MODELS } from "./reference-catalog.ts";
import { providerEntry, simulatorProvider } from "./schema/provider-section.ts";
import { parseApiKey } from "./values/api-key.ts";
import { parseBaseUrl } from "./values/base-url.ts";
import type { Parsed } from "./values/parsed.ts";

/** The built-in providers and models; `problems` is empty unless a variable is wrong. */
export interface BuiltInConfig extends CatalogConfig {
  readonly problems: readonly ConfigProblem[];
}

/** The keys of bigmodel.cn are `id.secret`; those of Z.ai have no dot. */
const ZAI_URL = "https://api.z.ai/api/paas/v4";

/** Zhipu limits requests in flight per account and model, and one is all it promises. */
const GLM_CONCURRENCY_LIMIT = 1;

const USUAL_OLLAMA_MODEL = "llama3.2";

/** A source that a variable turns on. */
interface OpenSource extends BuiltInSource {
  readonly baseUrl: string;
  readonly key: string | undefined;
}

/** What is known of a model beside what serves it. */
interface Offer {
  readonly model: CatalogModel;
  readonly deployment: Deployment;
}

/**
 * The built-in models, without any file: the ten GLM names on the provider `simulator`,
 * or real models at each provider whose variable is set. Empty variables count as unset.
 */
export function builtInConfig(env: Env): BuiltInConfig {
  const problems: ConfigProblem[] = [];
  const sources = BUILT_IN_SOURCES.flatMap((source) => openSource(source, env, problems));
  if (problems.length > 0) return { providers: [], models: [], deploymentLimits: new Map(), problems };
  const offers =
    sources.length === 0 ? listSimulated() : sources.flatMap((source) => listOffers(source, env));
  const providers = sources.length === 0 ? [assembleSimulator()] : sources.map(assembleSource);
  return { providers, ...gatherModels(offers), problems };
}

/** The names that groups, pools and the like may use as long as the built-in models serve. */
export function listBuiltInNames(env: Env, disabled: ReadonlySet<string>): CatalogNames {
  const { providers, models: all, problems } = builtInConfig(env);
  const models = all.filter(({ name }) => !disabled.has(name));
  const names = models.map(({ name }): KnownName => ({ name, kind: "model", path: undefined }));
  const providerNames = providers.map(({ name }) => name);
  return {
    names: [
      ...names,
      ...providerNames.map((name): KnownName => ({ name, kind: "provider", path: undefined })),
    ],
    deploymentIds: models.flatMap(({ deployments }) => deployments.map(({ id }) => id)),
    servingProviders: new Set(providerNames),
    isWhole: problems.length === 0,
  };
}

function openSource(source: BuiltInSource, env: Env, problems: ConfigProblem[]): readonly OpenSource[] {
  const told = env[source.variable]?.trim();
  if (!told) return [];
  const hasKey = source.kind !== "ollama";
  const key = hasKey ? unwrap(source.variable, parseApiKey(told), problems) : undefined;
  const usualUrl = source.kind === "glm" && !told.includes(".") ? ZAI_URL : source.url;
  const urlText = withScheme(env[source.urlVariable]?.trim() || usualUrl, source);
  const baseUrl = unwrap(source.urlVariable, parseBaseUrl(urlText), problems);
  return baseUrl === undefined ? [] : [{ ...source, baseUrl, key }];
}

/** Ollama's own programs take `host:port` alone; its servers listen on all addresses by 0.0.0.0, where nobody can call. */
function withScheme(text: string, { kind }: BuiltInSource): string {
  if (kind !== "ollama") return text;
  const url = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  const local = url.replace("//0.0.0.0", "//127.0.0.1");
  return /:\d+\/?$/.test(local) ? local : `${local.replace(/\/$/, "")}:11434`;
}

function unwrap(variable: string, parsed: Parsed<string>, problems: ConfigProblem[]): string | undefined {
  if (parsed.ok) return parsed.value;
  problems.push({ source: "environment", path: variable, wrong: parsed.wrong, right: parsed.right });
  return undefined;
}

function assembleSimulator(): ProviderConfig {
  return assembleProvider("simulator", simulatorProvider.parse({ kind: "simulator" }), undefined);
}

function assembleSource({ provider, kind, baseUrl, key }: OpenSource): ProviderConfig {
  return assembleProvider(provider, providerEntry.parse({ kind, base_url: baseUrl }), key);
}

function listSimulated(): readonly Offer[] {
  return GLM_MODELS.map((model) => ({
    model,
    deployment: makeDeployment(model, { kind: "simulator", provider: "simulator" }, {}),
  }));
}

function listOffers(source: OpenSource, env: Env): readonly Offer[] {
  switch (source.provider) {
    case "glm":
      return listGlm(source);
    case "ollama":
      return listOllamaNames(env).map((name) => offer(ollamaModel(name), source));
    case "openrouter":
      return [
        ...listGlmAtOpenRouter(source),
        ...REFERENCE_MODELS.openrouter.map((model) => offer(model, source)),
      ];
    default:
      return REFERENCE_MODELS[source.provider as keyof typeof REFERENCE_MODELS].map((model) =>
        offer(model, source),
      );
  }
}

function offer(model: CatalogModel, source: OpenSource): Offer {
  return { model, deployment: makeDeployment(model, source, {}) };
}

function listGlm(source: OpenSource): readonly Offer[] {
  const { hostname } = new URL(source.baseUrl);
  const isZai = /(?:^|\.)z\.ai$/.test(hostname);
  const isBigModel = /(?:^|\.)bigmodel\.cn$/.test(hostname);
  return GLM_MODELS.map((usual) => {
    const model = isZai && usual.name === LONG_ON_ZAI.name ? LONG_ON_ZAI : usual;
    const deployment = makeDeployment(model, source, {
      // Two names share that upstream model, and ids are unique.
      ...(model === LONG_ON_ZAI && { id: `glm/${model.upstreamModel}:long` }),
      concurrencyLimit: GLM_CONCURRENCY_LIMIT,
      ...(isBigModel && { price: { currency: "CNY", bands: model.bandsCny } }),
    });
    return { model, deployment };
  });
}

function listGlmAtOpenRouter(source: OpenSource): readonly Offer[] {
  return GLM_MODELS.flatMap((model): Offer[] => {
    const there = GLM_AT_OPENROUTER.get(model.name);
    if (there === undefined) return [];
    const { upstreamModel } = there;
    const own = { ...model, upstreamModel };
    return [{ model, deployment: makeDeployment(own, source, { price: toList(there.price) }) }];
  });
}

function toList(price: ModelPrice): PriceList {
  const { inputNanoUsd: inputNano, outputNanoUsd: outputNano } = price;
  return { currency: "USD", bands: [{ inputNano, outputNano }] };
}

function listOllamaNames(env: Env): readonly string[] {
  const names = (env.OLLAMA_MODEL ?? "").split(",").map((name) => name.trim());
  const told = names.filter((name) => name !== "");
  return told.length > 0 ? [...new Set(told)] : [USUAL_OLLAMA_MODEL];
}

function makeDeployment(
  model: CatalogModel,
  { kind, provider }: { readonly kind: BuiltInSource["kind"] | "simulator"; readonly provider: string },
  more: Partial<Deployment>,
): Deployment {
  return {
    id: `${provider}/${model.upstreamModel}`,
    model: model.name,
    provider,
    upstreamModel: model.upstreamModel,
    simulated: kind === "simulator",
    requestOverrides: {},
    ...(model.thinking !== undefined && { thinking: model.thinking }),
    concurrencyLimit: undefined,
    capabilities: model.capabilities,
    parameters: findParameterRules(kind, model.upstreamModel),
    ...more,
  };
}

/** Offers of one name become one model with several deployments; what the first says of the model holds. */
function gatherModels(offers: readonly Offer[]): Pick<CatalogConfig, "models" | "deploymentLimits"> {
  const models = new Map<string, Model & { readonly deployments: Deployment[] }>();
  const deploymentLimits = new Map<string, { concurrencyLimit: number }>();
  for (const { model, deployment } of offers) {
    const { name, description, capabilities, tiers, price, taskSuitability } = model;
    const known = models.get(name);
    if (known !== undefined) known.deployments.push(deployment);
    else {
      const deployments = [deployment];
      models.set(name, { name, description, capabilities, tiers, price, taskSuitability, deployments });
    }
    const { id, concurrencyLimit } = deployment;
    if (concurrencyLimit !== undefined) deploymentLimits.set(id, { concurrencyLimit });
  }
  return { models: [...models.values()], deploymentLimits };
}
