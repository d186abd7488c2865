/** Which wishes of the caller the chosen candidate does not keep. Pure. */

import type { Adjustment } from "../../domain/adjustment.ts";
import type { CandidateView } from "./candidate-view.ts";
import type { ChoiceSettings } from "./choice-settings.ts";
import type { Demands } from "./demands.ts";
import { expectMedianMs } from "./expectation.ts";

/** The requirements that were given up because no candidate kept them, with what is expected instead. */
export function describeRelaxed(
  view: CandidateView,
  demands: Demands,
  settings: ChoiceSettings,
): readonly Adjustment[] {
  const { minSuccessRatio, maxLatencyMs } = demands.limits;
  const relaxed: Adjustment[] = [];
  const note = (field: string, asked: string, used: string) =>
    relaxed.push({ field, asked, used, reason: "requirement_relaxed" });
  if (minSuccessRatio !== undefined && view.successMean < minSuccessRatio) {
    note("requirements.min_success_ratio", String(minSuccessRatio), view.successMean.toFixed(3));
  }
  const medianMs = expectMedianMs(view, demands, settings);
  if (maxLatencyMs !== undefined && medianMs > maxLatencyMs) {
    note(
      "requirements.max_latency_duration",
      `${maxLatencyMs / 1_000}s`,
      `${(medianMs / 1_000).toFixed(3)}s`,
    );
  }
  return relaxed;
}
