/** The baselines with parameters: what is published of them, and what a sweep tries. */

import type { FleetPolicyFactory } from "../fleet/policy-fleet.ts";
import { BIFROST, bifrostPolicy } from "./bifrost.ts";
import { chainPolicy } from "./chain.ts";
import { LITELLM } from "./cooldown.ts";
import { ENVOY, envoyPolicy } from "./envoy.ts";
import { latencyBasedPolicy } from "./latency-based.ts";
import { OPENROUTER, openRouterPolicy } from "./openrouter.ts";
import { FINAGLE, LINKERD, peakEwmaPolicy } from "./peak-ewma.ts";
import { leastBusyPolicy, lowestCostPolicy, shufflePolicy } from "./simple-policies.ts";
import { THOMPSON, thompsonPolicy } from "./thompson.ts";
import { usageBasedPolicy } from "./usage-based.ts";

/** Figures of a baseline by name. */
export type Parameters = Readonly<Record<string, number>>;

/** A baseline whose figures can be set. */
export interface TunableBaseline {
  readonly name: string;
  readonly title: string;
  readonly published: Parameters;
  /** What a sweep tries of each figure; all combinations, and the published ones. */
  readonly grid: Readonly<Record<string, readonly number[]>>;
  readonly make: (parameters: Parameters) => FleetPolicyFactory;
}

/** Joins what is said about a baseline; `make` gets every figure that `published` names. */
function tunable<P extends { readonly [name in keyof P]: number }>(
  name: string,
  title: string,
  published: P,
  grid: { readonly [name in keyof P]?: readonly number[] },
  make: (parameters: P) => FleetPolicyFactory,
): TunableBaseline {
  return {
    name,
    title,
    published: published as unknown as Parameters,
    grid: grid as TunableBaseline["grid"],
    make: (parameters) => make({ ...published, ...parameters }),
  };
}

const COOLDOWN_GRID = { cooldownMs: [1_000, 5_000, 30_000, 120_000, 300_000], failureRatio: [0.1, 0.5] };

export const TUNABLE_BASELINES: readonly TunableBaseline[] = [
  tunable("shuffle", "LiteLLM simple-shuffle + cooldown", LITELLM, COOLDOWN_GRID, shufflePolicy),
  tunable("latency", "LiteLLM latency as is + cooldown", LITELLM, COOLDOWN_GRID, (options) =>
    latencyBasedPolicy(false, options),
  ),
  tunable("latency-fixed", "LiteLLM latency, mended + cooldown", LITELLM, COOLDOWN_GRID, (options) =>
    latencyBasedPolicy(true, options),
  ),
  tunable("least-busy", "LiteLLM least-busy + cooldown", LITELLM, COOLDOWN_GRID, leastBusyPolicy),
  tunable("lowest-cost", "LiteLLM lowest-cost + cooldown", LITELLM, COOLDOWN_GRID, lowestCostPolicy),
  tunable("usage", "LiteLLM usage-based v2 + cooldown", LITELLM, COOLDOWN_GRID, (options) =>
    usageBasedPolicy(false, options),
  ),
  tunable(
    "usage-shared",
    "LiteLLM usage-based v2 + cooldown with a shared Redis",
    LITELLM,
    COOLDOWN_GRID,
    (options) => usageBasedPolicy(true, options),
  ),
  tunable(
    "chain",
    "Static chain with a breaker",
    { failureCount: 5, openMs: 60_000 },
    { failureCount: [1, 2, 5], openMs: [5_000, 20_000, 60_000, 120_000, 300_000] },
    chainPolicy,
  ),
  tunable(
    "peak-ewma",
    "Finagle Peak EWMA, two choices",
    { decayMs: FINAGLE.decayMs },
    { decayMs: [5_000, 10_000, 30_000, 120_000, 480_000] },
    (options) => peakEwmaPolicy({ ...FINAGLE, ...options }),
  ),
  tunable(
    "finagle",
    "Finagle Peak EWMA, two choices, failure accrual",
    { decayMs: FINAGLE.decayMs },
    { decayMs: [5_000, 10_000, 30_000, 120_000, 480_000] },
    (options) => peakEwmaPolicy({ ...FINAGLE, accrual: true, ...options }),
  ),
  tunable(
    "penalty-ewma",
    "Linkerd penalty Peak EWMA, two choices",
    { decayMs: LINKERD.decayMs, penaltyMs: 5_000 },
    { decayMs: [5_000, 10_000, 30_000, 120_000], penaltyMs: [5_000, 20_000, 60_000] },
    (options) => peakEwmaPolicy({ ...LINKERD, ...options }),
  ),
  tunable(
    "openrouter",
    "OpenRouter classic",
    OPENROUTER,
    { windowMs: [5_000, 30_000, 120_000], outageRatio: [0.02, 0.1, 0.5] },
    openRouterPolicy,
  ),
  tunable(
    "bifrost",
    "Bifrost-like",
    BIFROST,
    { recomputeMs: [1_000, 5_000, 15_000, 60_000], floorWeight: [0.01, 0.05] },
    bifrostPolicy,
  ),
  tunable(
    "envoy",
    "Envoy-like",
    ENVOY,
    { consecutiveCount: [1, 2, 3, 5], ejectionMs: [5_000, 30_000, 120_000] },
    envoyPolicy,
  ),
  tunable(
    "thompson",
    "Discounted Thompson, declared worth",
    THOMPSON,
    { halfLifeMs: [10_000, 60_000, 180_000, 600_000], priorSuccesses: [1, 5] },
    thompsonPolicy,
  ),
];

/** Every combination of a baseline's grid, the published figures first. */
export function listVariants({ published, grid }: TunableBaseline): readonly Parameters[] {
  let combinations: readonly Parameters[] = [{}];
  for (const [name, values] of Object.entries(grid)) {
    combinations = combinations.flatMap((each) => values.map((value) => ({ ...each, [name]: value })));
  }
  const swept = Object.fromEntries(Object.keys(grid).map((name) => [name, published[name] ?? 0]));
  const isPublished = (each: Parameters) =>
    Object.entries(swept).every(([name, value]) => each[name] === value);
  return [swept, ...combinations.filter((each) => !isPublished(each))];
}

/** Parameters as they stand in names and titles: `failureCount=5,openMs=60000`. */
export function nameParameters(parameters: Parameters): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}
