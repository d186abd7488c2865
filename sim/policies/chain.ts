import { pickLeast } from "./pick.ts";
import type { PolicyFactory } from "./policy.ts";
import { declaredUtility } from "./static-order.ts";

/** How the breaker of the chain counts. */
export interface ChainOptions {
  readonly failureCount: number;
  readonly openMs: number;
}

/**
 * The seed documents' way: a chain by declared worth, and a breaker per endpoint that
 * opens after `failureCount` failures in a row for `openMs`, then lets one call try.
 */
export function chainPolicy({ failureCount, openMs }: ChainOptions): PolicyFactory {
  return (context) => {
    const { nowMs, endpoints } = context;
    const failures = endpoints.map(() => 0);
    const openUntilMs = endpoints.map(() => 0);
    const probing = endpoints.map(() => false);
    const isUsable = (endpoint: number) => {
      const isOpen = (failures[endpoint] ?? 0) >= failureCount;
      return !isOpen || (nowMs() >= (openUntilMs[endpoint] ?? 0) && probing[endpoint] !== true);
    };
    return {
      choose: (request, untried) =>
        pickLeast(untried.filter(isUsable), (endpoint) => -declaredUtility(context, request, endpoint)),
      onStart(endpoint) {
        if ((failures[endpoint] ?? 0) >= failureCount) probing[endpoint] = true;
      },
      onEnd({ endpoint, outcome }) {
        probing[endpoint] = false;
        failures[endpoint] = outcome === "ok" ? 0 : (failures[endpoint] ?? 0) + 1;
        if ((failures[endpoint] ?? 0) >= failureCount) openUntilMs[endpoint] = nowMs() + openMs;
      },
    };
  };
}
