/** What an attempt asks of the provider and how long it may take, from the request and its tier. Pure. */

import { limitFirstTokenMs } from "../core/first-token-limit.ts";
import type { GenerationRequest } from "../domain/request.ts";
import type { EchelonSettings } from "../domain/targets.ts";
import type { AttemptLimits } from "./run-attempt.ts";

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
