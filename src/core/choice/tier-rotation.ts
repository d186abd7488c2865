import type { CandidateTier } from "../candidate-set.ts";
import type { CandidateView } from "./candidate-view.ts";

/** Takes candidates of a tier in the operator's strict order. Its memory is behind it (policies/rotation). */
export interface TierRotation {
  /**
   * Takes one of `usable` (the tier's candidates that passed every filter, in the
   * operator's order, never empty) and remembers it. Answers its index. `usable`
   * must not be kept: the chooser uses the array again.
   */
  take(tier: CandidateTier, usable: readonly CandidateView[], nowMs: number): number;
}
