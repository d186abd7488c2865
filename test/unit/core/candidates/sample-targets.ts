import type { TargetCatalog } from "../../../../src/core/candidates/target-catalog.ts";
import type { Model } from "../../../../src/domain/deployment.ts";
import type { Alias, Chain, Echelon, Group, Pool, Targets } from "../../../../src/domain/targets.ts";
import { sampleModel } from "../../../support/sample-catalog.ts";

/** A group with one model per echelon unless said otherwise, falling to the next echelon. */
export function sampleGroup(
  name: string,
  models: readonly (readonly string[])[],
  changes: Partial<Omit<Group, "fallback">> & { readonly fallback?: Partial<Group["fallback"]> } = {},
): Group {
  const echelons = models.map(
    (list, index): Echelon => ({
      name: `echelon${index + 1}`,
      priority: index + 1,
      models: list,
      settings: {},
    }),
  );
  return {
    name,
    description: "",
    echelons,
    rotation: "adaptive",
    ...changes,
    fallback: {
      strategy: "echelon_down",
      targets: [],
      maxAttempts: 3,
      retryDelayMs: 1_000,
      breaker: undefined,
      ...changes.fallback,
    },
  };
}

export function samplePool(name: string, members: readonly string[], changes: Partial<Pool> = {}): Pool {
  return {
    name,
    description: "",
    members,
    rotation: "round_robin",
    weights: {},
    healthCheckIntervalMs: undefined,
    breaker: undefined,
    fallback: { strategy: "instance_rotation", maxInstanceAttempts: 2 },
    ...changes,
  };
}

export function sampleChain(
  name: string,
  roles: Readonly<Record<string, readonly string[]>>,
  changes: Partial<Chain> = {},
): Chain {
  return {
    name,
    description: "",
    roles: Object.entries(roles).map(([role, models]) => ({ role, models })),
    selection: "fixed",
    strategy: "single",
    ...changes,
  };
}

export function sampleAlias(name: string, target: string, ...fallbacks: readonly string[]): Alias {
  return { name, target, fallbacks };
}

/** A catalog of models `a` … by providers of their own, and the targets. */
export function sampleTargets(
  models: readonly (string | Model)[],
  targets: Partial<Targets> = {},
  providers: readonly string[] = [],
): TargetCatalog {
  const built = models.map((model) => (typeof model === "string" ? sampleModel(model) : model));
  const used = built.flatMap((model) => model.deployments.map((deployment) => deployment.provider));
  return {
    models: built,
    providers: [...new Set([...used, ...providers])],
    targets: {
      groups: [],
      pools: [],
      chains: [],
      aliases: [],
      defaults: { target: undefined, strategy: "single", taskType: undefined },
      ...targets,
    },
  };
}
