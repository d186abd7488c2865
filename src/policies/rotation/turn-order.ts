import type { CandidateTier } from "../../core/candidate-set.ts";
import type { CandidateView } from "../../core/choice/candidate-view.ts";

/** One strict order of a tier, with its memory. */
export interface TurnOrder {
  /** As `TierRotation.take`. */
  take(tier: CandidateTier, usable: readonly CandidateView[], nowMs: number): number;
}
