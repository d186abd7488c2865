import type { CandidateView } from "./candidate-view.ts";
import type { ChoiceInput } from "./choice-input.ts";
import type { ExplainedCandidate, ScoreParts } from "./decision.ts";
import { expectCostNanoUsd, expectTotalMs } from "./expectation.ts";
import { CHOICE_FILTERS, findFilter, NOT_CHECKED, PASSED } from "./hard-filters.ts";
import { DEFAULT_QUALITY } from "./quality-table.ts";
import type { Scratch } from "./scratch.ts";
import {
  computeClipLoss,
  computeCostValue,
  computeCrowding,
  computeSpeedValue,
  computeUtility,
  computeValue,
  type ScoreContext,
} from "./utility.ts";

/**
 * Says of every candidate of the set what it scored or what removed it, in the order of
 * the tiers. Scores are those of the decision; in tiers that it did not reach, those of
 * the mean success ratio. Draws no random number, so explaining changes no decision.
 */
export function explainCandidates(
  input: ChoiceInput,
  context: ScoreContext,
  scratch: Scratch,
  chosen: CandidateView | undefined,
): readonly ExplainedCandidate[] {
  return input.set.tiers.flatMap((tier, tierIndex) =>
    (input.views[tierIndex] ?? []).map((view, index): ExplainedCandidate => {
      const slot = scratch.offsetOf(tierIndex) + index;
      const checked = scratch.codes[slot] ?? NOT_CHECKED;
      const code = checked === NOT_CHECKED ? findFilter(view, input, 0) : checked;
      const drawn = scratch.successRatios[slot] ?? Number.NaN;
      return {
        view,
        tier: tier.name,
        filter: code === PASSED ? undefined : CHOICE_FILTERS[code],
        score:
          code === PASSED
            ? explainScore(view, Number.isNaN(drawn) ? view.successMean : drawn, context)
            : undefined,
        chosen: view === chosen,
      };
    }),
  );
}

function explainScore(view: CandidateView, successRatio: number, context: ScoreContext): ScoreParts {
  const { demands, settings, quality, failedProvider } = context;
  return {
    successRatio,
    quality: quality.get(view.model.name) ?? DEFAULT_QUALITY,
    speedValue: computeSpeedValue(view, demands, settings),
    costValue: computeCostValue(view, demands, settings),
    value: computeValue(view, context),
    crowding: computeCrowding(view, settings),
    clipLoss: computeClipLoss(view, demands, settings),
    sameProviderPenalty: failedProvider === view.deployment.provider ? settings.sameProviderPenalty : 0,
    expectedMs: expectTotalMs(view, demands, settings),
    expectedCostNanoUsd: expectCostNanoUsd(view, demands),
    utility: computeUtility(view, successRatio, context),
  };
}
