/** What a decision says. */

import type { CandidateTier } from "../candidate-set.ts";
import type { CandidateView } from "./candidate-view.ts";
import type { ChoiceFilter } from "./hard-filters.ts";

/**
 * Why the chosen one: the `best` score; one of several `near_best`; the tier's strict
 * `rotation`; the `same` deployment again; a `probe` of a half-open breaker, or of an
 * open one when nothing else is left; a `stale` one that should be measured; the one
 * with the most `headroom` when all have next to none.
 */
export type ChoiceReason =
  | "best"
  | "near_best"
  | "rotation"
  | "same"
  | "probe"
  | "forced_probe"
  | "stale"
  | "headroom";

/** What had to be given up to find a candidate, in the order in which it is given up. */
export const RELAXATIONS = ["suspect", "min_success", "max_latency", "headroom", "breaker"] as const;

export type Relaxation = (typeof RELAXATIONS)[number];

/** Why nothing could be chosen; `retryAtMs` is a moment of `Clock.nowMs`. */
export type NoCandidateCause =
  /** Filters that no waiting mends removed every candidate. */
  | "requirements"
  | "breaker"
  | "rate_limited"
  | "credential"
  /** Credit or plan at the providers is used up. */
  | "used_up"
  /** Providers do not have, or do not grant, the models; asked again later. */
  | "set_aside"
  | "deadline"
  /** Everything that fits was tried. */
  | "exhausted";

export type Decision =
  | {
      readonly kind: "chosen";
      readonly view: CandidateView;
      readonly tier: CandidateTier;
      /** The tier's number in its set. */
      readonly tierIndex: number;
      readonly reason: ChoiceReason;
      /** The last thing given up; undefined when every rule was kept. */
      readonly relaxed: Relaxation | undefined;
      /** The output limit to send: the asked one, cut to the window. */
      readonly maxOutputTokens: number | undefined;
      /** Only where it was asked for. */
      readonly explanation: readonly ExplainedCandidate[] | undefined;
    }
  | {
      readonly kind: "none";
      readonly cause: NoCandidateCause;
      /** The earliest moment at which a candidate comes back; undefined when none is known. */
      readonly retryAtMs: number | undefined;
      /** Every candidate with the filter that removed it. */
      readonly explanation: readonly ExplainedCandidate[];
    };

/** The parts of a score; `utility` is what the choice compares. */
export interface ScoreParts {
  /** As drawn for this decision. */
  readonly successRatio: number;
  readonly quality: number;
  readonly speedValue: number;
  readonly costValue: number;
  /** The three by their weights. */
  readonly value: number;
  readonly crowding: number;
  readonly clipLoss: number;
  readonly sameProviderPenalty: number;
  readonly expectedMs: number;
  /** Undefined where the model has no price; the score then goes by its cost tier. */
  readonly expectedCostNanoUsd: number | undefined;
  readonly utility: number;
}

/** One candidate in an explained decision. */
export interface ExplainedCandidate {
  readonly view: CandidateView;
  readonly tier: string;
  /** The filter that removed it; undefined for one that could serve. */
  readonly filter: ChoiceFilter | undefined;
  /** Only for one that could serve. */
  readonly score: ScoreParts | undefined;
  readonly chosen: boolean;
}
