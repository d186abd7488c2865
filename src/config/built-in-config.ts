import type { Deployment, Model } from "../domain/deployment.ts";
import { assembleProvider, type CatalogConfig } from "./assemble-config.ts";
import { GLM_MODELS, type GlmModel, LONG_ON_ZAI } from "./glm-catalog.ts";
import type { Env } from "./interpolate.ts";
import type { CatalogNames, KnownName } from "./known-names.ts";
import { findParameterRules } from "./parameter-rules.ts";
import type { ConfigProblem } from "./problem.ts";
import { glmProvider, simulatorProvider } from "./schema/provider-section.ts";
import { parseApiKey } from "./values/api-key.ts";
import { parseBaseUrl } from "./values/base-url.ts";
import type { Parsed } from "./values/parsed.ts";

/** The variables that move the built-in models from the simulator to Zhipu, as docs/configuration.md lists them. */
export const GLM_VARIABLES = {
  GLM_API_KEY:
    "The key of Zhipu (bigmodel.cn or Z.ai). With it the built-in models are real; without it they are simulated.",
  GLM_BASE_URL:
    "Where the built-in models are. Without it `https://open.bigmodel.cn/api/paas/v4` for a key with a dot in it, else `https://api.z.ai/api/paas/v4`.",
} as const;

/** The built-in providers and models; `problems` is empty unless a `GLM_` variable is wrong. */
export interface BuiltInConfig extends CatalogConfig {
  readonly problems: readonly ConfigProblem[];
}

/** The keys of bigmodel.cn are `id.secret`; those of Z.ai have no dot. */
const BIGMODEL_URL = "https://open.bigmodel.cn/api/paas/v4";
const ZAI_URL = "https://api.z.ai/api/paas/v4";

const NO_CATALOG: BuiltInConfig = { providers: [], models: [], deploymentLimits: new Map(), problems: [] };

/** Zhipu limits requests in flight per account and model, and one is all it promises. */
const CONCURRENCY_LIMIT = 1;

/**
 * The ten GLM names, without any file: on the provider `simulator`, or on the provider
 * `glm` when `GLM_API_KEY` is set. Empty variables count as unset.
 */
export function builtInConfig(env: Env): BuiltInConfig {
  const keyText = env.GLM_API_KEY?.trim();
  if (!keyText) return buildSimulated();
  const problems: ConfigProblem[] = [];
  const key = unwrap("GLM_API_KEY", parseApiKey(keyText), problems);
  const defaultUrl = keyText.includes(".") ? BIGMODEL_URL : ZAI_URL;
  const baseUrl = unwrap("GLM_BASE_URL", parseBaseUrl(env.GLM_BASE_URL?.trim() || defaultUrl), problems);
  if (key === undefined || baseUrl === undefined) return { ...NO_CATALOG, problems };
  return buildReal(baseUrl, key);
}

/** The names that groups, pools and the like may use as long as the built-in models serve. */
export function listBuiltInNames(env: Env): CatalogNames {
  const provider = env.GLM_API_KEY?.trim() ? "glm" : "simulator";
  const names = GLM_MODELS.map(({ name }): KnownName => ({ name, kind: "model", path: undefined }));
  const deployments = builtInConfig(env).models.flatMap((model) => model.deployments);
  return {
    names: [...names, { name: provider, kind: "provider", path: undefined }],
    deploymentIds: deployments.map(({ id }) => id),
    servingProviders: new Set([provider]),
    isWhole: true,
  };
}

function unwrap(variable: string, parsed: Parsed<string>, problems: ConfigProblem[]): string | undefined {
  if (parsed.ok) return parsed.value;
  problems.push({ source: "environment", path: variable, wrong: parsed.wrong, right: parsed.right });
  return undefined;
}

function buildSimulated(): BuiltInConfig {
  const provider = assembleProvider("simulator", simulatorProvider.parse({ kind: "simulator" }), undefined);
  const models = GLM_MODELS.map((model) =>
    buildModel(model, {
      id: `simulator/${model.upstreamModel}`,
      provider: "simulator",
      simulated: true,
      concurrencyLimit: undefined,
    }),
  );
  return { ...NO_CATALOG, providers: [provider], models };
}

function buildReal(baseUrl: string, key: string): BuiltInConfig {
  const entry = glmProvider.parse({ kind: "glm", base_url: baseUrl });
  const provider = assembleProvider("glm", entry, key);
  const isZai = /(?:^|\.)z\.ai$/.test(new URL(baseUrl).hostname);
  const models = GLM_MODELS.map((usual) => {
    const model = isZai && usual.name === LONG_ON_ZAI.name ? LONG_ON_ZAI : usual;
    // Two names share that upstream model, and ids are unique.
    const id = model === LONG_ON_ZAI ? `glm/${model.upstreamModel}:long` : `glm/${model.upstreamModel}`;
    return buildModel(model, { id, provider: "glm", simulated: false, concurrencyLimit: CONCURRENCY_LIMIT });
  });
  const ids = models.flatMap((model) => model.deployments.map((deployment) => deployment.id));
  const deploymentLimits = new Map(ids.map((id) => [id, { concurrencyLimit: CONCURRENCY_LIMIT }]));
  return { ...NO_CATALOG, providers: [provider], models, deploymentLimits };
}

function buildModel(
  model: GlmModel,
  place: Pick<Deployment, "id" | "provider" | "simulated" | "concurrencyLimit">,
): Model {
  return {
    name: model.name,
    description: model.description,
    capabilities: model.capabilities,
    tiers: model.tiers,
    price: model.price,
    taskSuitability: model.taskSuitability,
    deployments: [
      {
        ...place,
        model: model.name,
        upstreamModel: model.upstreamModel,
        requestOverrides: model.requestOverrides,
        capabilities: model.capabilities,
        parameters: findParameterRules(place.simulated ? "simulator" : "glm", model.upstreamModel),
      },
    ],
  };
}
