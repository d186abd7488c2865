/** From the name of a target to the candidates it stands for. Pure; resolve once per configuration and keep. */

import type { Deployment } from "../../domain/deployment.ts";
import type { Target } from "../../domain/request.ts";
import type { Alias, Chain, Echelon, Group, Pool, TargetName } from "../../domain/targets.ts";
import type { CandidateSet, CandidateTier } from "../candidate-set.ts";
import { type DeploymentListing, listDeployments, listModelDeployments } from "./list-deployments.ts";
import { AUTO_TARGET, findTarget, nameEchelon, orderEchelons, type TargetCatalog } from "./target-catalog.ts";
import { explainUnknownTarget, type TargetFailure } from "./target-failure.ts";

export type TargetResolution =
  | { readonly kind: "resolved"; readonly set: CandidateSet }
  | { readonly kind: "failed"; readonly failure: TargetFailure };

/**
 * Resolves what a request asks for: its named model or target, else the configured
 * default, else the router's own choice among all models. A deployment appears in
 * the first of the set's tiers that holds it, and only there.
 */
export function resolveTarget(target: Target | TargetName, catalog: TargetCatalog): TargetResolution {
  const name = nameTarget(target, catalog);
  const built = buildSet(name, catalog, []);
  if ("failure" in built) return { kind: "failed", failure: built.failure };
  const tiers = keepFirstAppearances(built.tiers);
  if (tiers.length === 0) return { kind: "failed", failure: { kind: "empty_target", name } };
  return { kind: "resolved", set: { ...built, target: name, tiers } };
}

function nameTarget(target: Target | TargetName, catalog: TargetCatalog): TargetName {
  if (typeof target === "string") return target;
  if (target.kind === "model") return target.model;
  if (target.kind === "named") return target.name;
  return catalog.targets.defaults.target ?? AUTO_TARGET;
}

type SetParts = Omit<CandidateSet, "target">;
type Built = SetParts | { readonly failure: TargetFailure };

/** What holds where a target says nothing of its own. */
const PLAIN: Omit<SetParts, "tiers"> = {
  fallback: "spill",
  maxAttempts: undefined,
  retryDelayMs: 0,
  breaker: undefined,
  strategy: undefined,
  judges: [],
};

function buildSet(name: TargetName, catalog: TargetCatalog, path: readonly TargetName[]): Built {
  if (path.includes(name)) {
    return { failure: { kind: "cycle", path: [...path.slice(path.indexOf(name)), name] } };
  }
  const found = findTarget(name, catalog);
  if (found === undefined) return { failure: explainUnknownTarget(name, catalog) };
  switch (found.kind) {
    case "auto":
    case "model":
    case "provider": {
      const listed = listDeployments(name, catalog, []);
      if (listed.kind === "failed") return listed;
      const tierName = found.kind === "auto" ? AUTO_TARGET : `${found.kind} ${name}`;
      return { ...PLAIN, tiers: [buildTier(tierName, listed.deployments, "adaptive")] };
    }
    case "group":
      return buildGroup(found.group, orderEchelons(found.group), catalog, [...path, name]);
    case "echelon":
      return buildEchelon(found.group, found.echelon, catalog, [...path, name]);
    case "pool":
      return buildPool(found.pool, catalog);
    case "chain":
      return buildChain(found.chain, catalog);
    case "alias":
      return buildAlias(found.alias, catalog, [...path, name]);
  }
}

function buildTier(
  name: string,
  deployments: readonly Deployment[],
  rotation: CandidateTier["rotation"],
  more: Partial<Pick<CandidateTier, "settings" | "scopes">> = {},
): CandidateTier {
  return { name, deployments, rotation, settings: more.settings ?? {}, scopes: more.scopes ?? [] };
}

function buildGroup(
  group: Group,
  echelons: readonly Echelon[],
  catalog: TargetCatalog,
  path: readonly TargetName[],
): Built {
  const own = buildEchelonTiers(group, echelons, catalog);
  if ("failure" in own) return own;
  const further = buildFurtherTiers(group.fallback.targets, catalog, path);
  if ("failure" in further) return further;
  const { strategy, maxAttempts, retryDelayMs, breaker } = group.fallback;
  // A switch goes to the other groups before the rest of this one, which stays as the last resort.
  const tiers =
    strategy === "task_group_switch"
      ? [...own.tiers.slice(0, 1), ...further.tiers, ...own.tiers.slice(1)]
      : [...own.tiers, ...further.tiers];
  const fallback = strategy === "provider_failover" ? "other_provider" : "next_tier";
  return { ...PLAIN, tiers, fallback, maxAttempts, retryDelayMs, breaker };
}

/** One echelon, then what the group names as fallbacks; where it names none, the echelons below. */
function buildEchelon(
  group: Group,
  echelon: Echelon,
  catalog: TargetCatalog,
  path: readonly TargetName[],
): Built {
  const ordered = orderEchelons(group);
  const below = group.fallback.targets.length > 0 ? [] : ordered.slice(ordered.indexOf(echelon) + 1);
  return buildGroup(group, [echelon, ...below], catalog, path);
}

type Tiers = { readonly tiers: readonly CandidateTier[] } | { readonly failure: TargetFailure };

function buildEchelonTiers(group: Group, echelons: readonly Echelon[], catalog: TargetCatalog): Tiers {
  const tiers: CandidateTier[] = [];
  for (const echelon of echelons) {
    const listed = listModelDeployments(echelon.models, catalog);
    if (listed.kind === "failed") return listed;
    const name = nameEchelon(group, echelon);
    const scopes = [`group ${group.name}`, `echelon ${name}`];
    tiers.push(buildTier(name, listed.deployments, group.rotation, { settings: echelon.settings, scopes }));
  }
  return { tiers };
}

/** The tiers of a group's targets: their own echelons only, so groups may name each other. */
function buildFurtherTiers(
  targets: readonly TargetName[],
  catalog: TargetCatalog,
  path: readonly TargetName[],
): Tiers {
  const tiers: CandidateTier[] = [];
  for (const name of targets) {
    const found = findTarget(name, catalog);
    let built: Tiers;
    if (found?.kind === "group") built = buildEchelonTiers(found.group, orderEchelons(found.group), catalog);
    else if (found?.kind === "echelon") built = buildEchelonTiers(found.group, [found.echelon], catalog);
    else built = buildSet(name, catalog, path);
    if ("failure" in built) return built;
    tiers.push(...built.tiers);
  }
  return { tiers };
}

function buildPool(pool: Pool, catalog: TargetCatalog): Built {
  const deployments: Deployment[] = [];
  for (const member of pool.members) {
    const listed: DeploymentListing = listDeployments(member, catalog, [pool.name]);
    if (listed.kind === "failed") return listed;
    deployments.push(...listed.deployments);
  }
  const scopes = [`pool ${pool.name}`];
  return {
    ...PLAIN,
    tiers: [buildTier(`pool ${pool.name}`, deployments, pool.rotation, { scopes })],
    fallback: pool.fallback.strategy === "simple_retry" ? "same_deployment" : "spill",
    maxAttempts: pool.fallback.maxInstanceAttempts,
    breaker: pool.breaker,
  };
}

/** The role whose models judge two answers (seed 003: "может использоваться как evaluator"). */
const JUDGE_ROLE = "duplicate";

function buildChain(chain: Chain, catalog: TargetCatalog): Built {
  const tiers: CandidateTier[] = [];
  const judges: Deployment[] = [];
  for (const { role, models } of chain.roles) {
    const listed = listModelDeployments(models, catalog);
    if (listed.kind === "failed") return listed;
    const scopes = [`chain ${chain.name}`, `role ${chain.name} ${role}`];
    tiers.push(buildTier(`chain ${chain.name} ${role}`, listed.deployments, chain.selection, { scopes }));
    if (role === JUDGE_ROLE) judges.push(...listed.deployments);
  }
  return { ...PLAIN, tiers, strategy: chain.strategy, judges };
}

/** More tiers than this no request can ever reach. */
const MAX_TIERS = 256;

function buildAlias(alias: Alias, catalog: TargetCatalog, path: readonly TargetName[]): Built {
  const first = buildSet(alias.target, catalog, path);
  if ("failure" in first) return first;
  const tiers = [...first.tiers];
  for (const name of alias.fallbacks) {
    // Aliases that fall back to each other in a web would be walked a thousand times over.
    if (tiers.length >= MAX_TIERS) break;
    const further = buildSet(name, catalog, path);
    if ("failure" in further) return further;
    tiers.push(...further.tiers);
  }
  return { ...first, tiers };
}

function keepFirstAppearances(tiers: readonly CandidateTier[]): readonly CandidateTier[] {
  const seen = new Set<string>();
  const kept: CandidateTier[] = [];
  for (const tier of tiers) {
    const deployments = tier.deployments.filter(({ id }) => {
      const first = !seen.has(id);
      seen.add(id);
      return first;
    });
    if (deployments.length > 0) kept.push({ ...tier, deployments });
  }
  return kept;
}
