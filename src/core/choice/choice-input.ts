import type { Random } from "../../domain/ports.ts";
import type { CandidateSet } from "../candidate-set.ts";
import type { CandidateView } from "./candidate-view.ts";
import type { Relaxation } from "./decision.ts";
import type { FilterMoment } from "./hard-filters.ts";
import type { QualityTable } from "./quality-table.ts";
import type { TierRotation } from "./tier-rotation.ts";

/** Everything a decision depends on. */
export interface ChoiceInput extends FilterMoment {
  readonly set: CandidateSet;
  /** For each tier of the set the views of its deployments, in its order. */
  readonly views: readonly (readonly CandidateView[])[];
  readonly quality: QualityTable;
  /** Whether no further attempt may follow: such a request is no probe. */
  readonly lastAttempt: boolean;
  /** What earlier attempts of this request gave up: headroom and breaker are given up once. */
  readonly relaxedBefore: readonly Relaxation[];
  /** The deployment chosen last for the same target and priority. */
  readonly incumbentId: string | undefined;
  /** Each tier's demand as a part of its capacity, 0 or more, where it is measured. */
  readonly demandRatios: readonly (number | undefined)[] | undefined;
  readonly rotation: TierRotation;
  readonly random: Random;
  /** Whether to say of every candidate what it scored or what removed it. */
  readonly explain: boolean;
}
