import { pickWeighted } from "./pick.ts";
import type { PolicyFactory } from "./policy.ts";

/** How the weights are made. */
export interface BifrostOptions {
  readonly recomputeMs: number;
  readonly floorWeight: number;
}

/** What is published: every 5 s; and a floor of 5 %, which is our reading. */
export const BIFROST: BifrostOptions = { recomputeMs: 5_000, floorWeight: 0.05 };

const FAILED_RATIO = 0.5;
const DEGRADED_RATIO = 0.05;

type State = "healthy" | "degraded" | "failed" | "recovering";

interface Route {
  state: State;
  weight: number;
  callCount: number;
  failureCount: number;
  limited: boolean;
  /** Mean of ms per token, decayed with each recomputation. */
  pace: number;
}

/**
 * After Bifrost's description: weights recomputed every 5 s from errors first, then speed
 * against the peers; four states; a refusal for the rate makes a route failed; a recovering
 * route forgets its errors; at random by weight with a floor; new routes start at full weight.
 */
export function bifrostPolicy({ recomputeMs, floorWeight }: BifrostOptions): PolicyFactory {
  return ({ nowMs, random, endpoints }) => {
    const routes = endpoints.map(
      (): Route => ({
        state: "healthy",
        weight: 1,
        callCount: 0,
        failureCount: 0,
        limited: false,
        pace: 0,
      }),
    );
    let computedMs = 0;
    const recompute = () => {
      if (nowMs() - computedMs < recomputeMs) return;
      computedMs = nowMs();
      const paces = routes.filter(({ pace }) => pace > 0).map(({ pace }) => pace);
      const usual = paces.reduce((sum, pace) => sum + pace, 0) / Math.max(paces.length, 1);
      for (const route of routes) {
        const errorRatio = route.callCount > 0 ? route.failureCount / route.callCount : 0;
        route.state = nextState(route, errorRatio);
        const speed = route.pace > 0 ? Math.min(usual / route.pace, 2) : 1;
        route.weight = route.state === "failed" ? 0 : Math.max((1 - errorRatio) ** 2 * speed, floorWeight);
        route.callCount = 0;
        route.failureCount = 0;
        route.limited = false;
      }
    };
    return {
      choose(_request, untried) {
        recompute();
        return pickWeighted(
          untried,
          (endpoint) => Math.max(routes[endpoint]?.weight ?? 0, floorWeight / 10),
          random,
        );
      },
      onEnd({ endpoint, outcome, totalMs, outputTokens }) {
        const route = routes[endpoint];
        if (route === undefined) return;
        route.callCount += 1;
        if (outcome === "ok") {
          const pace = totalMs / Math.max(outputTokens, 1);
          route.pace = route.pace === 0 ? pace : 0.8 * route.pace + 0.2 * pace;
          return;
        }
        route.failureCount += 1;
        if (outcome === "limited" || outcome === "unpaid") {
          route.state = "failed";
          route.weight = 0;
          route.limited = true;
        }
      },
    };
  };
}

function nextState(route: Route, errorRatio: number): State {
  if (route.limited || errorRatio > FAILED_RATIO) return "failed";
  if (route.state === "failed") return "recovering";
  return errorRatio > DEGRADED_RATIO ? "degraded" : "healthy";
}
