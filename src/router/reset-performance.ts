import { listDeployments } from "../core/candidates/list-deployments.ts";
import type { TargetCatalog } from "../core/candidates/target-catalog.ts";
import { targetError } from "../core/candidates/target-failure.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { RouteError } from "../domain/errors.ts";
import type { CandidateSource } from "../policies/candidates/candidate-source.ts";
import type { DeploymentTable } from "../policies/deployment-table.ts";
import type { EvidenceTable } from "../policies/evidence/evidence-table.ts";
import type { ScopeStatistics } from "../policies/scope-statistics.ts";

/** What a reset forgets. */
export interface ResetParts {
  readonly source: CandidateSource;
  readonly deployments: DeploymentTable;
  readonly evidence: EvidenceTable;
  readonly scopes: ScopeStatistics;
}

/**
 * Forgets what was measured of every deployment behind a name: a target's, or a
 * deployment's own id; all for an empty name. Statistics of the scope itself begin anew.
 */
export function resetPerformance(
  { source, deployments, evidence, scopes }: ResetParts,
  name: string,
): { readonly deployments: readonly string[] } | { readonly error: RouteError } {
  const found = findDeployments(source.catalog, name);
  if ("error" in found) return found;
  for (const deployment of found) {
    evidence.reset(deployment);
    deployments.entry(deployment).tally.reset();
  }
  source.resetBreakers(found);
  for (const kind of ["model", "provider", "group", "echelon", "pool", "chain"])
    scopes.reset(`${kind} ${name}`);
  return { deployments: found.map(({ id }) => id) };
}

function findDeployments(
  catalog: TargetCatalog,
  name: string,
): readonly Deployment[] | { readonly error: RouteError } {
  const all = catalog.models.flatMap((model) => model.deployments);
  if (name === "") return all;
  const own = all.find(({ id }) => id === name);
  if (own !== undefined) return [own];
  const listed = listDeployments(name, catalog, []);
  if (listed.kind === "failed") return { error: targetError(listed.failure) };
  const ids = new Set(listed.deployments.map(({ id }) => id));
  return all.filter(({ id }) => ids.has(id));
}
