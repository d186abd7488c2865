import type { Deployment, Model } from "../../../src/domain/deployment.ts";

/** A deployment of a test catalog. */
export function makeDeployment(model: string, provider = "acme", simulated = false): Deployment {
  return {
    id: `${provider}/${model}`,
    model,
    provider,
    upstreamModel: model,
    simulated,
    requestOverrides: {},
    concurrencyLimit: undefined,
  };
}

/** A model of a test catalog with one deployment. */
export function makeModel(name: string, provider = "acme"): Model {
  return {
    name,
    description: "",
    capabilities: {
      contextWindowTokens: 8_192,
      maxOutputTokens: 4_096,
      vision: true,
      tools: true,
      jsonObject: true,
      jsonSchema: true,
      longContext: false,
    },
    tiers: { speed: 1, quality: 1, cost: 1 },
    price: undefined,
    taskSuitability: {},
    deployments: [makeDeployment(name, provider)],
  };
}
