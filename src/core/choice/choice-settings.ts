/** The constants of the choice (routing.md 4.3, 4.6 and 4.8 of the research). All may be configured. */

import type { Priority } from "../../domain/request.ts";

/** How much each good counts, 0 or more; their sum is 1 in the defaults. */
export interface PriorityWeights {
  readonly quality: number;
  readonly speed: number;
  readonly cost: number;
}

export interface ChoiceSettings {
  readonly weights: Readonly<Record<Priority, PriorityWeights>>;
  /** Candidates whose score is this close to the best are equal. */
  readonly nearBestGap: number;
  /** The same in pools, whose members the operator called equal. */
  readonly nearBestPoolGap: number;
  /** The candidate chosen last counts as equal within this many times the gap. */
  readonly hysteresisFactor: number;
  /** The cost at which the value of cheapness is half. */
  readonly referenceCostNanoUsd: number;
  /** The time at which the value of speed is half: this much and so much per expected token. */
  readonly referenceLatencyMs: number;
  readonly referenceMsPerToken: number;
  /** What a token of the prompt adds to the time to the first token. */
  readonly promptMsPerToken: number;
  /** Below this share of free places a candidate's score falls, to `crowdingWeight` less at none. */
  readonly softPlaceRatio: number;
  /** At or below this headroom a candidate is removed. */
  readonly hardHeadroomRatio: number;
  /** What the last of a quota, or of the places, must be worth more than another candidate's. */
  readonly crowdingWeight: number;
  /** What a failure costs beside the value not had. */
  readonly failurePenalty: number;
  /** For a candidate of the provider that has just failed. */
  readonly sameProviderPenalty: number;
  /** For a candidate that can give nothing of the asked output length; less in proportion. */
  readonly clipPenalty: number;
  /** The part of the success posterior's deviation that is drawn. */
  readonly deviationFactor: number;
  /** A tier keeps min(1, this × usable headroom / demand) of the requests (Envoy's overprovisioning factor). */
  readonly spillFactor: number;
  /** A tier's demand as a part of its capacity, where it is not measured. */
  readonly assumedDemandRatio: number;
  /** An eligible candidate without samples for this long may get a request of its own. */
  readonly staleAfterMs: number;
  /** The part of the requests that may serve that. */
  readonly staleShareRatio: number;
  /** Probes and stale candidates may be this much worse than the best… */
  readonly probeMaxGap: number;
  /** …and cost this many times as much. */
  readonly probeMaxCostFactor: number;
  /** The success ratio that a half-open candidate is credited with: its probation's mean. */
  readonly probationSuccessRatio: number;
  /** The part of the requests with priority `speed` that may serve as probes. */
  readonly speedProbeRatio: number;
}

/** The weights of each priority. */
export const PRIORITY_WEIGHTS: ChoiceSettings["weights"] = {
  speed: { quality: 0.2, speed: 0.7, cost: 0.1 },
  quality: { quality: 0.75, speed: 0.15, cost: 0.1 },
  cost: { quality: 0.2, speed: 0.1, cost: 0.7 },
  balanced: { quality: 0.4, speed: 0.3, cost: 0.3 },
};

export const DEFAULT_CHOICE_SETTINGS: ChoiceSettings = {
  weights: PRIORITY_WEIGHTS,
  nearBestGap: 0.01,
  nearBestPoolGap: 0.02,
  hysteresisFactor: 1.5,
  referenceCostNanoUsd: 1_000_000,
  referenceLatencyMs: 1_000,
  referenceMsPerToken: 15,
  promptMsPerToken: 0.02,
  softPlaceRatio: 0.15,
  hardHeadroomRatio: 0.02,
  crowdingWeight: 0.2,
  failurePenalty: 0.1,
  sameProviderPenalty: 0.05,
  clipPenalty: 0.25,
  deviationFactor: 0.5,
  spillFactor: 1.4,
  assumedDemandRatio: 0.2,
  staleAfterMs: 60_000,
  staleShareRatio: 0.01,
  probeMaxGap: 0.25,
  probeMaxCostFactor: 3,
  probationSuccessRatio: 0.75,
  speedProbeRatio: 0.1,
};
