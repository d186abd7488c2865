/** All deployments behind a name, without order of fallbacks: what a pool takes as its instances. */

import type { Deployment } from "../../domain/deployment.ts";
import type { TargetName } from "../../domain/targets.ts";
import { findTarget, orderEchelons, type TargetCatalog } from "./target-catalog.ts";
import { explainUnknownTarget, type TargetFailure } from "./target-failure.ts";

export type DeploymentListing =
  | { readonly kind: "listed"; readonly deployments: readonly Deployment[] }
  | { readonly kind: "failed"; readonly failure: TargetFailure };

/**
 * Lists the deployments of a target in the operator's order; one may come twice.
 * An alias stands for its target without its fallbacks. `path` holds the names
 * that led here, so that a cycle ends as a failure.
 */
export function listDeployments(
  name: TargetName,
  catalog: TargetCatalog,
  path: readonly TargetName[],
): DeploymentListing {
  if (path.includes(name)) {
    return { kind: "failed", failure: { kind: "cycle", path: [...path.slice(path.indexOf(name)), name] } };
  }
  const found = findTarget(name, catalog);
  switch (found?.kind) {
    case undefined:
      return failUnknown(name, catalog);
    case "auto":
      return { kind: "listed", deployments: catalog.models.flatMap((model) => model.deployments) };
    case "model":
      return { kind: "listed", deployments: found.model.deployments };
    case "provider":
      return {
        kind: "listed",
        deployments: catalog.models
          .flatMap((model) => model.deployments)
          .filter((deployment) => deployment.provider === found.provider),
      };
    case "group":
      return listModelDeployments(
        orderEchelons(found.group).flatMap((echelon) => echelon.models),
        catalog,
      );
    case "echelon":
      return listModelDeployments(found.echelon.models, catalog);
    case "chain":
      return listModelDeployments(
        found.chain.roles.flatMap((role) => role.models),
        catalog,
      );
    case "pool":
      return joinListings(found.pool.members, catalog, [...path, name]);
    case "alias":
      return listDeployments(found.alias.target, catalog, [...path, name]);
  }
}

/** Lists the deployments of models by name; fails on a name that is no model's. */
export function listModelDeployments(names: readonly string[], catalog: TargetCatalog): DeploymentListing {
  const deployments: Deployment[] = [];
  for (const name of names) {
    const model = catalog.models.find((known) => known.name === name);
    if (model === undefined) return failUnknown(name, catalog);
    deployments.push(...model.deployments);
  }
  return { kind: "listed", deployments };
}

function joinListings(
  names: readonly TargetName[],
  catalog: TargetCatalog,
  path: readonly TargetName[],
): DeploymentListing {
  const deployments: Deployment[] = [];
  for (const name of names) {
    const listed = listDeployments(name, catalog, path);
    if (listed.kind === "failed") return listed;
    deployments.push(...listed.deployments);
  }
  return { kind: "listed", deployments };
}

function failUnknown(name: TargetName, catalog: TargetCatalog): DeploymentListing {
  return { kind: "failed", failure: explainUnknownTarget(name, catalog) };
}
