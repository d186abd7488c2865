import type { FallbackRule } from "../candidate-set.ts";
import { type AttemptHistory, type FilterMask, maskOf } from "./hard-filters.ts";

/** A pass over tiers, in order, that ends at the first tier with a usable candidate. */
export interface TierPhase {
  readonly fromTier: number;
  /** Exclusive. */
  readonly toTier: number;
  /** Leaves out the provider that failed last. */
  readonly otherProvider: boolean;
  /** Considers only the deployment that failed last. */
  readonly sameDeployment: boolean;
  /** Filters that this pass leaves out. */
  readonly relaxed: FilterMask;
}

const TRIED = maskOf("tried");

/**
 * Lists the passes that a fallback rule asks for; later ones count only when the
 * earlier find nothing, so a rule orders the candidates but never wastes a usable one.
 */
export function listTierPhases(
  rule: FallbackRule,
  history: AttemptHistory | undefined,
  tierCount: number,
): readonly TierPhase[] {
  const all = passOver(0, tierCount);
  if (history === undefined) return [all];
  switch (rule) {
    case "spill":
      return [all];
    case "next_tier":
      return [passOver(history.tierIndex + 1, tierCount), passOver(0, history.tierIndex + 1)];
    case "other_provider":
      return [{ ...all, otherProvider: true }, all];
    case "same_deployment":
      // After a failure that bars the deployment itself the same again would be a wasted attempt.
      return history.scope === "any" ? [{ ...all, sameDeployment: true, relaxed: TRIED }, all] : [all];
  }
}

function passOver(fromTier: number, toTier: number): TierPhase {
  return { fromTier, toTier, otherProvider: false, sameDeployment: false, relaxed: 0 };
}
