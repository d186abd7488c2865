/** What a target is resolved to: tiers of candidates, and the rules of moving between them. */

import type { Deployment } from "../domain/deployment.ts";
import type { BreakerPreset, EchelonSettings, GenerationStrategy, Rotation } from "../domain/targets.ts";

/** Candidates that are equal as far as the operator is concerned. */
export interface CandidateTier {
  /** For statistics and traces: `auto`, `model glm-4.6`, `fast_group.echelon1`, `chain main primary` … Unique in its set. */
  readonly name: string;
  /** In the operator's order; never empty. */
  readonly deployments: readonly Deployment[];
  readonly rotation: Rotation | "fastest";
  readonly settings: EchelonSettings;
  /** What the tier belongs to, for statistics: the group and echelon, or the pool. */
  readonly scopes: readonly string[];
}

/**
 * Where a request goes after a failed attempt, as long as something is left:
 * - `spill`: within the tier, then down to the next one;
 * - `next_tier`: straight down to the next tier (echelon_down);
 * - `other_provider`: anywhere in the set, other providers first (provider_failover);
 * - `same_deployment`: the same deployment again (simple_retry).
 */
export type FallbackRule = "spill" | "next_tier" | "other_provider" | "same_deployment";

/** A resolved target. */
export interface CandidateSet {
  /** The target's name, as asked. */
  readonly target: string;
  /** In order; never empty. A later tier serves when no earlier one can. */
  readonly tiers: readonly CandidateTier[];
  readonly fallback: FallbackRule;
  /** Undefined means the ordinary limit. */
  readonly maxAttempts: number | undefined;
  /** Waited before each further attempt. */
  readonly retryDelayMs: number;
  /** For deployments reached through this set; undefined means their own. */
  readonly breaker: BreakerPreset | undefined;
  /** Where the target itself says; undefined means the request's or the default. */
  readonly strategy: GenerationStrategy | undefined;
  /** For best-of-two on a chain: who judges. Empty means the router's choice. */
  readonly judges: readonly Deployment[];
}
