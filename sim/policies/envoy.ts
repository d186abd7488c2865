import { pickLeastAtRandom } from "./pick.ts";
import type { PolicyFactory } from "./policy.ts";

/** Outlier detection. */
export interface EnvoyOptions {
  readonly consecutiveCount: number;
  readonly ejectionMs: number;
  readonly maxEjectionMs: number;
  readonly maxEjectedRatio: number;
  readonly panicRatio: number;
}

/** How often Envoy looks at its hosts; each look at a healthy one takes one off its times ejected. */
const SWEEP_MS = 10_000;

/** Envoy's defaults for outlier detection. */
export const ENVOY: EnvoyOptions = {
  consecutiveCount: 5,
  ejectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectedRatio: 0.5,
  panicRatio: 0.5,
};

/**
 * Envoy's least request (all compared, as it advises for few endpoints; at random of equal ones)
 * with outlier detection: five 5xx in a row eject for 30 s × times ejected, at most 300 s, and
 * each 10 s in health afterwards take one time off; when fewer than half are left, ejections are
 * not looked at. 429 is no 5xx. The most that may be ejected is
 * raised from 10 % of hosts to half, or with ten hosts one alone could ever be.
 */
export function envoyPolicy(options: EnvoyOptions): PolicyFactory {
  return ({ nowMs, random, endpoints }) => {
    const inFlight = endpoints.map(() => 0);
    const failures = endpoints.map(() => 0);
    const ejections = endpoints.map(() => 0);
    const untilMs = endpoints.map(() => 0);
    const isEjected = (endpoint: number) => nowMs() < (untilMs[endpoint] ?? 0);
    const ejectedRatio = () => endpoints.filter((_, index) => isEjected(index)).length / endpoints.length;
    return {
      choose(_request, untried) {
        const panics = 1 - ejectedRatio() < options.panicRatio;
        const healthy = panics ? untried : untried.filter((endpoint) => !isEjected(endpoint));
        return pickLeastAtRandom(
          healthy.length > 0 ? healthy : untried,
          (endpoint) => inFlight[endpoint] ?? 0,
          random,
        );
      },
      onStart(endpoint) {
        inFlight[endpoint] = (inFlight[endpoint] ?? 0) + 1;
      },
      onEnd({ endpoint, outcome }) {
        inFlight[endpoint] = (inFlight[endpoint] ?? 0) - 1;
        if (outcome === "limited" || outcome === "unpaid") return;
        failures[endpoint] = outcome === "ok" ? 0 : (failures[endpoint] ?? 0) + 1;
        if ((failures[endpoint] ?? 0) < options.consecutiveCount || ejectedRatio() >= options.maxEjectedRatio)
          return;
        failures[endpoint] = 0;
        const healthyMs = Math.max(nowMs() - (untilMs[endpoint] ?? 0), 0);
        const times = Math.max((ejections[endpoint] ?? 0) - Math.floor(healthyMs / SWEEP_MS), 0) + 1;
        ejections[endpoint] = times;
        untilMs[endpoint] = nowMs() + Math.min(options.ejectionMs * times, options.maxEjectionMs);
      },
    };
  };
}
