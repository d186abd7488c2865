import type { Deployment } from "../../domain/deployment.ts";
import { listDeployments } from "./list-deployments.ts";
import { listTargets, type TargetCatalog } from "./target-catalog.ts";

/**
 * Lists the scopes of statistics and the ids of their deployments: every group, echelon,
 * pool, chain, role, model, provider and deployment, named as in `CandidateTier.scopes`.
 */
export function listScopeMembers(catalog: TargetCatalog): ReadonlyMap<string, ReadonlySet<string>> {
  const members = new Map<string, ReadonlySet<string>>();
  for (const { name, kind } of listTargets(catalog)) {
    if (kind === "reserved" || kind === "alias") continue;
    const listed = listDeployments(name, catalog, []);
    if (listed.kind === "listed") members.set(`${kind} ${name}`, idsOf(listed.deployments));
  }
  for (const { name, roles } of catalog.targets.chains) {
    for (const { role, models } of roles) {
      const deployments = catalog.models.flatMap((model) =>
        models.includes(model.name) ? model.deployments : [],
      );
      members.set(`role ${name} ${role}`, idsOf(deployments));
    }
  }
  for (const { id } of catalog.models.flatMap((model) => model.deployments)) {
    members.set(`deployment ${id}`, new Set([id]));
  }
  return members;
}

function idsOf(deployments: readonly Deployment[]): ReadonlySet<string> {
  return new Set(deployments.map(({ id }) => id));
}
