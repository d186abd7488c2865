import { computeUtility } from "../world/utility.ts";
import type { SimRequest } from "../world/workload.ts";
import type { PolicyContext } from "./policy.ts";

/** The mean length of an answer, as an operator would know it. */
export const MEAN_OUTPUT_TOKENS = 211;

/** What a whole answer is worth by what is declared of an endpoint. */
export function declaredUtility(
  { endpoints, priceFactorOf }: PolicyContext,
  { priority, promptTokens }: SimRequest,
  endpoint: number,
): number {
  const spec = endpoints[endpoint];
  if (spec === undefined) return 0;
  const outputTokens = MEAN_OUTPUT_TOKENS;
  const totalMs = spec.firstTokenMs + 0.02 * promptTokens + spec.perTokenMs * outputTokens;
  const usd = (promptTokens * spec.inputUsd + outputTokens * spec.outputUsd) * priceFactorOf(endpoint);
  return computeUtility({ priority, promptTokens, outputTokens }, spec.quality, totalMs, usd / 1e6);
}
