import { pickWeighted } from "./pick.ts";
import type { PolicyFactory } from "./policy.ts";

/** When an endpoint counts as out. */
export interface OpenRouterOptions {
  readonly windowMs: number;
  /** More than this share of failed calls in the window, of at least so many, is an outage. */
  readonly outageRatio: number;
}

/** What is published: the last 30 s; and half, which is our reading. */
export const OPENROUTER: OpenRouterOptions = { windowMs: 30_000, outageRatio: 0.5 };

const MIN_CALL_COUNT = 3;

/** OpenRouter's classic rule: without those in an outage in the last 30 s, at random in proportion to 1/price². */
export function openRouterPolicy({ windowMs, outageRatio }: OpenRouterOptions): PolicyFactory {
  return ({ nowMs, random, endpoints, priceFactorOf }) => {
    const recent: { readonly atMs: number; readonly failed: boolean }[][] = endpoints.map(() => []);
    const isOut = (endpoint: number) => {
      const calls = (recent[endpoint] ?? []).filter(({ atMs }) => nowMs() - atMs <= windowMs);
      recent[endpoint] = calls;
      const failedCount = calls.filter(({ failed }) => failed).length;
      return calls.length >= MIN_CALL_COUNT && failedCount / calls.length > outageRatio;
    };
    const weightOf = (endpoint: number) => {
      const spec = endpoints[endpoint];
      if (spec === undefined) return 0;
      const price = (3 * spec.inputUsd + spec.outputUsd) * priceFactorOf(endpoint);
      return 1 / (price * price);
    };
    return {
      choose(_request, untried) {
        const stable = untried.filter((endpoint) => !isOut(endpoint));
        return pickWeighted(stable.length > 0 ? stable : untried, weightOf, random);
      },
      onEnd: ({ endpoint, outcome }) => recent[endpoint]?.push({ atMs: nowMs(), failed: outcome !== "ok" }),
    };
  };
}
