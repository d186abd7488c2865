/** The world's endpoints as a catalog that the router can be configured with. */

import type { Deployment, Model, ModelCapabilities } from "../../src/domain/deployment.ts";
import { speedOfTier } from "../../src/policies/evidence/speed-of-tier.ts";
import { MEAN_OUTPUT_TOKENS } from "../policies/static-order.ts";
import type { EndpointSpec } from "../world/endpoint-spec.ts";

const CAPABILITIES: ModelCapabilities = {
  contextWindowTokens: 128_000,
  maxOutputTokens: 16_000,
  vision: false,
  tools: true,
  jsonObject: true,
  jsonSchema: true,
  longContext: true,
};

const NANO_USD = 1e9;

/** The means that the quality tiers 1 to 5 declare, as the router reads them. */
const MEAN_OF_TIER = [0.5, 0.6, 0.7, 0.8, 0.9];

/** One model with one deployment for each endpoint; `priceFactors` by endpoint. */
export function buildCatalog(
  endpoints: readonly EndpointSpec[],
  priceFactors: readonly number[],
): readonly Model[] {
  return endpoints.map((endpoint, index): Model => {
    const factor = priceFactors[index] ?? 1;
    const quality = Math.min(Math.max(Math.round(endpoint.quality * 10) - 4, 1), 5);
    // The router believes in the middle of tier and task figure: together they must declare the truth.
    const suitability = 2 * endpoint.quality - (MEAN_OF_TIER[quality - 1] ?? 0.5);
    const deployment: Deployment = {
      id: endpoint.id,
      model: endpoint.model,
      provider: endpoint.provider,
      upstreamModel: endpoint.model,
      simulated: true,
      requestOverrides: {},
      concurrencyLimit: undefined,
    };
    return {
      name: endpoint.model,
      description: "",
      capabilities: CAPABILITIES,
      tiers: { speed: findSpeedTier(endpoint), quality, cost: 3 },
      price: {
        inputNanoUsd: endpoint.inputUsd * factor * NANO_USD,
        outputNanoUsd: endpoint.outputUsd * factor * NANO_USD,
      },
      taskSuitability: { text_generation: suitability },
      deployments: [deployment],
    };
  });
}

/** The speed tier whose time to a usual answer is nearest to the declared one: by logarithms, because tiers are factors. */
function findSpeedTier({ firstTokenMs, perTokenMs }: EndpointSpec): number {
  const declaredMs = firstTokenMs + perTokenMs * MEAN_OUTPUT_TOKENS;
  const distances = [1, 2, 3, 4, 5].map((tier) => {
    const { timeToFirstToken, timePerToken } = speedOfTier(tier);
    return Math.abs(
      Math.log(declaredMs / (timeToFirstToken.medianMs + timePerToken.medianMs * MEAN_OUTPUT_TOKENS)),
    );
  });
  return 1 + distances.indexOf(Math.min(...distances));
}
