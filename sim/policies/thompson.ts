import type { Random } from "../../src/domain/ports.ts";
import { toNormal } from "../world/draws.ts";
import { pickLeast } from "./pick.ts";
import type { PolicyFactory } from "./policy.ts";
import { declaredUtility } from "./static-order.ts";

/** Discounted Thompson sampling: the prior and how fast evidence fades. */
export interface ThompsonOptions {
  readonly halfLifeMs: number;
  readonly priorSuccesses: number;
  readonly priorFailures: number;
}

export const THOMPSON: ThompsonOptions = { halfLifeMs: 60_000, priorSuccesses: 1, priorFailures: 0.05 };

/** Success drawn from a discounted Beta, times the worth that is declared; refusals for the rate count as failures. */
export function thompsonPolicy({
  halfLifeMs,
  priorSuccesses,
  priorFailures,
}: ThompsonOptions): PolicyFactory {
  return (context) => {
    const { nowMs, random, endpoints } = context;
    const state = endpoints.map(() => ({ good: 0, bad: 0, atMs: 0 }));
    const fade = (endpoint: number) => {
      const entry = state[endpoint] ?? { good: 0, bad: 0, atMs: 0 };
      const factor = 0.5 ** ((nowMs() - entry.atMs) / halfLifeMs);
      entry.good *= factor;
      entry.bad *= factor;
      entry.atMs = nowMs();
      return entry;
    };
    return {
      choose: (request, untried) =>
        pickLeast(untried, (endpoint) => {
          const { good, bad } = fade(endpoint);
          const chance = drawBeta(good + priorSuccesses, bad + priorFailures, random);
          return -chance * declaredUtility(context, request, endpoint);
        }),
      onEnd({ endpoint, outcome }) {
        const entry = fade(endpoint);
        if (outcome === "ok") entry.good += 1;
        else entry.bad += 1;
      },
    };
  };
}

/** A draw of a Beta, by two Gammas. */
function drawBeta(alpha: number, beta: number, random: Random): number {
  const a = drawGamma(alpha, random);
  const b = drawGamma(beta, random);
  return a + b > 0 ? a / (a + b) : alpha / (alpha + beta);
}

/** Marsaglia and Tsang's method; shapes below 1 are drawn one higher and scaled. */
function drawGamma(shape: number, random: Random): number {
  if (shape < 1) return drawGamma(shape + 1, random) * random.next() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = toNormal(random.next(), random.next());
    const v = (1 + c * normal) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * normal ** 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}
