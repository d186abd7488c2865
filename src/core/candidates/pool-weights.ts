import type { Deployment } from "../../domain/deployment.ts";
import type { Pool } from "../../domain/targets.ts";

/** What a weight is where the pool names none. */
const DEFAULT_WEIGHT = 1;

/**
 * A deployment's weight in a pool: by its id, else by its model, else 1. Never
 * negative or infinite; 0 means only when nothing else is left.
 */
export function findWeight(weights: Pool["weights"], deployment: Deployment): number {
  // Own members only: a deployment may be called `constructor`.
  const weight = readOwn(weights, deployment.id) ?? readOwn(weights, deployment.model) ?? DEFAULT_WEIGHT;
  return Number.isFinite(weight) ? Math.max(weight, 0) : DEFAULT_WEIGHT;
}

function readOwn(weights: Pool["weights"], key: string): number | undefined {
  return Object.hasOwn(weights, key) ? weights[key] : undefined;
}
