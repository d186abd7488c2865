import type { RoutingInput } from "../../src/main/build-routing.ts";
import type { EndpointSpec } from "../world/endpoint-spec.ts";
import { FIRST_TOKEN_TIMEOUT_MS, type Regime } from "../world/regime.ts";
import { buildCatalog } from "./world-catalog.ts";

/** Parts of the router that can be taken away to see what they are good for. */
export interface SluiceOptions {
  readonly gossip: boolean;
  readonly hedging: boolean;
  readonly quotaSharing: boolean;
  readonly tripTest: boolean;
}

export const WHOLE_SLUICE: SluiceOptions = {
  gossip: true,
  hedging: true,
  quotaSharing: true,
  tripTest: true,
};

/** What extra attempts may cost, as the product's defaults have it. */
export const BUDGETS = {
  extra: { ratio: 0.2, perSecond: 3 },
  hedges: { ratio: 0.05, perSecond: 0 },
} as const;

const SIMULATOR = {
  kind: "simulator",
  timeToFirstTokenMs: 0,
  tokensPerSecond: 1,
  outputTokens: 1,
  failureRatio: 0,
  hangRatio: 0,
  cutRatio: 0,
  seed: undefined,
} as const;

/** The configuration of every replica: the defaults of the product, but for attempts and time to a first token. */
export function configureSluice(
  endpoints: readonly EndpointSpec[],
  regime: Regime,
  options: SluiceOptions,
  priceFactors: readonly number[],
): RoutingInput {
  return {
    models: buildCatalog(endpoints, priceFactors),
    providers: [...new Set(endpoints.map(({ provider }) => provider))].map((name) => ({
      ...SIMULATOR,
      name,
    })),
    deploymentLimits: new Map(
      endpoints.map(({ id, requestsPerMinute, tokensPerMinute }) => [
        id,
        {
          requestsPerMinute: requestsPerMinute * regime.quotaRatio,
          tokensPerMinute: tokensPerMinute * regime.quotaRatio,
        },
      ]),
    ),
    targets: {
      groups: [],
      pools: [],
      chains: [],
      aliases: [],
      defaults: { target: undefined, strategy: "single", taskType: undefined },
    },
    routing: {
      maxAttempts: regime.maxAttempts,
      timeouts: { firstTokenMs: FIRST_TOKEN_TIMEOUT_MS, idleMs: 60_000, totalMs: 600_000 },
      breaker: options.tripTest ? { kind: "adaptive" } : NEVER_TRIPS,
      maxWaitingAttempts: 256,
      performanceTracking: true,
      retry: {
        maxRetries: 1,
        baseDelayMs: 500,
        maxDelayMs: 8_000,
        multiplier: 2,
        jitterRatio: 0.25,
        retryClasses: new Set(["rate_limit", "server_error", "overloaded", "network", "stream_interrupted"]),
      },
      providerRetry: new Map(),
      budgets: BUDGETS,
      hedging: { enabled: options.hedging, minDelayMs: 800 },
      weights: {
        speed: { quality: 0.2, latency: 0.7, cost: 0.1 },
        quality: { quality: 0.75, latency: 0.15, cost: 0.1 },
        cost: { quality: 0.2, latency: 0.1, cost: 0.7 },
        balanced: { quality: 0.4, latency: 0.3, cost: 0.3 },
      },
      bestOfTwo: { judge: undefined, judgeTimeoutMs: 10_000 },
    },
  };
}

const NEVER_TRIPS = {
  kind: "counting",
  failureThreshold: Number.MAX_SAFE_INTEGER,
  recoveryTimeMs: 30_000,
  halfOpenRequests: 1,
} as const;
