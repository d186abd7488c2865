/** What an attempt asks of the provider and how long it may take, from the request and its tier. Pure. */

import { type AdjustedRequest, applyParameterRules } from "../core/apply-parameter-rules.ts";
import { describeRelaxed } from "../core/choice/describe-relaxed.ts";
import { limitFirstTokenMs } from "../core/first-token-limit.ts";
import type { Adjustment } from "../domain/adjustment.ts";
import type { GenerationRequest } from "../domain/request.ts";
import type { EchelonSettings } from "../domain/targets.ts";
import type { DecisionFacts } from "./decider.ts";
import type { AttemptLimits } from "./run-attempt.ts";
import type { Chosen } from "./wait-for-place.ts";

/**
 * The request as an attempt of this tier sends it: the echelon's temperature and output
 * limit where the request names none, a larger output limit cut to the echelon's and to
 * `maxOutputTokens`, which the choice found to fit the window.
 */
export function applyTierSettings(
  request: GenerationRequest,
  { temperature, maxOutputTokens: tierTokens }: EchelonSettings,
  maxOutputTokens: number | undefined,
): GenerationRequest {
  const { sampling } = request;
  const limits = [sampling.maxOutputTokens, tierTokens, maxOutputTokens].filter((each) => each !== undefined);
  const outputTokens = limits.length === 0 ? undefined : Math.min(...limits);
  const newTemperature = sampling.temperature ?? temperature;
  if (outputTokens === sampling.maxOutputTokens && newTemperature === sampling.temperature) return request;
  return {
    ...request,
    sampling: {
      ...sampling,
      ...(outputTokens === undefined ? {} : { maxOutputTokens: outputTokens }),
      ...(newTemperature === undefined ? {} : { temperature: newTemperature }),
    },
  };
}

/** The request as the chosen deployment gets it, and what of it is not as the caller asked. */
export function prepareRequest(
  request: GenerationRequest,
  { view, tier, relaxed, maxOutputTokens }: Chosen,
  { demands, settings }: DecisionFacts,
): AdjustedRequest {
  const ofTier = applyTierSettings(request, tier.settings, maxOutputTokens);
  const adjusted = applyParameterRules(ofTier, request, view.deployment);
  const cut = describeCut(request, ofTier, tier.settings);
  const given = relaxed === undefined ? [] : describeRelaxed(view, demands, settings);
  if (cut === undefined && given.length === 0) return adjusted;
  return {
    ...adjusted,
    adjustments: [...(cut === undefined ? [] : [cut]), ...adjusted.adjustments, ...given],
  };
}

function describeCut(
  { sampling: asked }: GenerationRequest,
  { sampling: used }: GenerationRequest,
  settings: EchelonSettings,
): Adjustment | undefined {
  if (asked.maxOutputTokens === undefined || used.maxOutputTokens === asked.maxOutputTokens) return undefined;
  return {
    field: "sampling.max_output_token_count",
    asked: String(asked.maxOutputTokens),
    used: String(used.maxOutputTokens),
    reason: used.maxOutputTokens === settings.maxOutputTokens ? "operator_setting" : "context_window",
  };
}

/** How long an attempt may take; `possibleCount` attempts share what is left for a first delta. */
export function limitAttempt(
  timeouts: AttemptLimits,
  { timeoutMs }: EchelonSettings,
  remainingMs: number,
  possibleCount: number,
): AttemptLimits {
  const totalMs = Math.min(timeouts.totalMs, timeoutMs ?? timeouts.totalMs);
  return {
    firstTokenMs: Math.min(limitFirstTokenMs(timeouts.firstTokenMs, remainingMs, possibleCount), totalMs),
    idleMs: timeouts.idleMs,
    totalMs,
  };
}
