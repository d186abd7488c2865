import type { Deployment, Model, ModelCapabilities } from "../../src/domain/deployment.ts";
import type { ParameterRules } from "../../src/domain/parameter-rules.ts";
import type { GenerationRequest } from "../../src/domain/request.ts";

const CAPABILITIES: ModelCapabilities = {
  contextWindowTokens: 100_000,
  maxOutputTokens: 8_000,
  vision: false,
  tools: true,
  jsonObject: true,
  jsonSchema: false,
  longContext: false,
};

/** What a test may want to differ from the ordinary. */
export interface ModelChanges {
  readonly capabilities?: Partial<ModelCapabilities>;
  readonly tiers?: Partial<Model["tiers"]>;
  readonly price?: Model["price"];
  readonly taskSuitability?: Model["taskSuitability"];
  /** Provider names, one deployment each; `<model>-provider` alone where absent. */
  readonly providers?: readonly string[];
  readonly concurrencyLimit?: number;
  /** Of all its deployments; all where absent. */
  readonly parameters?: ParameterRules;
}

/** A model with one deployment for each provider, ids `<provider>/<model>`. */
export function sampleModel(name: string, changes: ModelChanges = {}): Model {
  return {
    name,
    description: "",
    capabilities: { ...CAPABILITIES, ...changes.capabilities },
    tiers: { speed: 3, quality: 3, cost: 3, ...changes.tiers },
    price: changes.price,
    taskSuitability: changes.taskSuitability ?? {},
    deployments: (changes.providers ?? [`${name}-provider`]).map(
      (provider): Deployment => ({
        id: `${provider}/${name}`,
        model: name,
        provider,
        upstreamModel: `${name}-upstream`,
        simulated: false,
        requestOverrides: {},
        concurrencyLimit: changes.concurrencyLimit,
        ...(changes.parameters === undefined ? {} : { parameters: changes.parameters }),
      }),
    ),
  };
}

/** A request for one short answer, by automatic choice. */
export function sampleRequest(changes: Partial<GenerationRequest> = {}): GenerationRequest {
  return {
    messages: [{ role: "user", parts: [{ kind: "text", text: "Hello" }] }],
    target: { kind: "automatic" },
    priority: "balanced",
    requirements: { vision: false, tools: false, jsonOutput: false, longContext: false },
    sampling: {},
    tools: [],
    ...changes,
  };
}
