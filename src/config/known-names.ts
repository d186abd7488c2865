import { deriveDeploymentId } from "./deployment-ids.ts";
import type { ValuePath } from "./problem.ts";
import { childValue } from "./schema/schema-node.ts";
import { listKeys, type TargetEntry } from "./target-entries.ts";
import type { YamlSource } from "./yaml-source.ts";

/** What a name stands for. */
export type NameKind = "auto" | "model" | "provider" | "group" | "pool" | "chain" | "alias" | "echelon";

export interface KnownName {
  readonly name: string;
  readonly kind: NameKind;
  /** Where it is given; undefined when no file gives it. */
  readonly path: ValuePath | undefined;
}

/** The names of the catalog. */
export interface CatalogNames {
  readonly names: readonly KnownName[];
  readonly deploymentIds: readonly string[];
  /** Providers with at least one deployment. */
  readonly servingProviders: ReadonlySet<string>;
  /** False when the file's catalog is broken, so that other names may be meant to be there. */
  readonly isWhole: boolean;
}

/** Reads the names of the file's providers and models, which may be wrong otherwise. */
export function readCatalogNames(root: unknown, file: YamlSource): CatalogNames {
  const models = childValue(root, "models");
  const list: readonly unknown[] = Array.isArray(models) ? models : [];
  const names: KnownName[] = [];
  const deploymentIds: string[] = [];
  const servingProviders = new Set<string>();
  let isWhole = Array.isArray(models) && typeof childValue(root, "providers") === "object";
  for (const [index, model] of list.entries()) {
    const name = childValue(model, "name");
    const path = ["models", index, "name"];
    if (typeof name === "string" && !file.isBroken(path)) names.push({ name, kind: "model", path });
    else isWhole = false;
    const deployments = childValue(model, "deployments");
    for (const deployment of Array.isArray(deployments) ? deployments : []) {
      const id = childValue(deployment, "id") ?? deriveDeploymentId(deployment, model);
      if (typeof id === "string") deploymentIds.push(id);
      const provider = childValue(deployment, "provider");
      if (typeof provider === "string") servingProviders.add(provider);
    }
  }
  for (const [name, path] of listKeys(root, ["providers"])) names.push({ name, kind: "provider", path });
  return { names, deploymentIds, servingProviders, isWhole };
}

/** Every name of the one namespace; a name that is given twice comes twice. */
export function listKnownNames(catalog: CatalogNames, entries: readonly TargetEntry[]): KnownName[] {
  return [
    { name: "auto", kind: "auto", path: undefined },
    ...catalog.names,
    ...entries.map(({ name, kind, path }): KnownName => ({ name, kind, path })),
    ...entries.flatMap(({ echelons }) =>
      echelons.map(({ name, path }): KnownName => ({ name, kind: "echelon", path })),
    ),
  ];
}
