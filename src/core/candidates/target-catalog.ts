/** Everything that has a name a request may aim at. */

import type { Model } from "../../domain/deployment.ts";
import type { Alias, Chain, Echelon, Group, Pool, Targets } from "../../domain/targets.ts";

/** The reserved name of the router's own choice among all models. */
export const AUTO_TARGET = "auto";

export interface TargetCatalog {
  /** In the operator's order; names are unique. */
  readonly models: readonly Model[];
  /** Names of the configured providers, with or without deployments. */
  readonly providers: readonly string[];
  readonly targets: Targets;
}

/** What a target's name stands for. */
export type NamedTarget =
  | { readonly kind: "auto" }
  | { readonly kind: "model"; readonly model: Model }
  | { readonly kind: "provider"; readonly provider: string }
  | { readonly kind: "group"; readonly group: Group }
  | { readonly kind: "echelon"; readonly group: Group; readonly echelon: Echelon }
  | { readonly kind: "pool"; readonly pool: Pool }
  | { readonly kind: "chain"; readonly chain: Chain }
  | { readonly kind: "alias"; readonly alias: Alias };

/** Looks a name up; undefined when nothing has it. */
export function findTarget(name: string, catalog: TargetCatalog): NamedTarget | undefined {
  if (name === AUTO_TARGET) return { kind: "auto" };
  const { models, providers, targets } = catalog;
  const model = models.find((known) => known.name === name);
  if (model !== undefined) return { kind: "model", model };
  if (providers.includes(name)) return { kind: "provider", provider: name };
  const group = targets.groups.find((known) => known.name === name);
  if (group !== undefined) return { kind: "group", group };
  const pool = targets.pools.find((known) => known.name === name);
  if (pool !== undefined) return { kind: "pool", pool };
  const chain = targets.chains.find((known) => known.name === name);
  if (chain !== undefined) return { kind: "chain", chain };
  const alias = targets.aliases.find((known) => known.name === name);
  if (alias !== undefined) return { kind: "alias", alias };
  return findEchelon(name, targets.groups);
}

/** The full name of an echelon: `fast_group.echelon1`. */
export function nameEchelon(group: Group, echelon: Echelon): string {
  return `${group.name}.${echelon.name}`;
}

/** A group's echelons, lowest priority number first; equal ones in the file's order. */
export function orderEchelons(group: Group): readonly Echelon[] {
  return group.echelons.toSorted((a, b) => a.priority - b.priority);
}

/** A name in the namespace, and the section of the configuration that gives it. */
export interface TargetEntry {
  readonly name: string;
  readonly kind: "reserved" | "model" | "provider" | "group" | "echelon" | "pool" | "chain" | "alias";
}

/** Every name of the namespace, in the order in which `findTarget` looks; clashing names come twice. */
export function listTargets({ models, providers, targets }: TargetCatalog): readonly TargetEntry[] {
  return [
    { name: AUTO_TARGET, kind: "reserved" },
    ...models.map(({ name }): TargetEntry => ({ name, kind: "model" })),
    ...providers.map((name): TargetEntry => ({ name, kind: "provider" })),
    ...targets.groups.map(({ name }): TargetEntry => ({ name, kind: "group" })),
    ...targets.pools.map(({ name }): TargetEntry => ({ name, kind: "pool" })),
    ...targets.chains.map(({ name }): TargetEntry => ({ name, kind: "chain" })),
    ...targets.aliases.map(({ name }): TargetEntry => ({ name, kind: "alias" })),
    ...targets.groups.flatMap((group) =>
      group.echelons.map((echelon): TargetEntry => ({ name: nameEchelon(group, echelon), kind: "echelon" })),
    ),
  ];
}

function findEchelon(name: string, groups: readonly Group[]): NamedTarget | undefined {
  // Names may hold dots themselves, so the groups are asked instead of splitting at a dot.
  for (const group of groups) {
    if (!name.startsWith(`${group.name}.`)) continue;
    const echelon = group.echelons.find((known) => nameEchelon(group, known) === name);
    if (echelon !== undefined) return { kind: "echelon", group, echelon };
  }
  return undefined;
}
