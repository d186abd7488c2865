import type { FleetPolicyFactory } from "../fleet/policy-fleet.ts";
import { computeLoad } from "../world/call-plan.ts";
import { computeUtility } from "../world/utility.ts";
import type { SimRequest } from "../world/workload.ts";
import type { WorldView } from "../world/world.ts";
import { MEAN_OUTPUT_TOKENS } from "./static-order.ts";

/** E[e^x] over the median's e^x for the spreads of the world, on average over its tail: what a mean is above its median. */
const MEAN_FACTOR = Math.exp(0.45 ** 2 / 2) * 1.06;
/** How long a failed call takes on average before the next one can begin. */
const FAILURE_MS = 400;

interface Prospect {
  readonly endpoint: number;
  readonly successRatio: number;
  readonly value: number;
  readonly totalMs: number;
}

/** What the last request of a quota may be worth beside another's, in utility. */
const SCARCITY_PRICE = 0.15;

/**
 * O1: knows the state of the world (errors, speeds, prices, what is left of quotas, calls in
 * flight) but not the draws nor an answer's length. It takes the endpoint with the best
 * value, that of a second try after a failure included (without that, a plain chain would
 * beat it in gray failures), less the price of the quota that it uses up. The price rises
 * as the quota empties, so it settles where just as many take it as it refills for: those
 * to whom it is worth most (bid prices, as in revenue management; the emptying bucket is
 * the dual variable's integrator).
 */
export const oraclePolicy: FleetPolicyFactory = (_context, world) => ({
  choose(request, untried, attempt) {
    const waitedMs = world.clock.nowMs() - request.arrivalMs;
    const admitted = untried.filter((endpoint) =>
      world.admits(endpoint, request.promptTokens + MEAN_OUTPUT_TOKENS),
    );
    const from = admitted.length > 0 ? admitted : untried;
    const prospects = from.map((endpoint) => foresee(world, request, endpoint, waitedMs));
    const last = attempt + 1 >= MAX_FORESEEN_CALLS;
    let best: { readonly endpoint: number; readonly worth: number } | undefined;
    for (const prospect of prospects) {
      const price = SCARCITY_PRICE * (1 - world.freeRatio(prospect.endpoint));
      const worth = prospect.successRatio * prospect.value + (last ? 0 : goOn(prospect, prospects)) - price;
      if (best === undefined || worth > best.worth) best = { endpoint: prospect.endpoint, worth };
    }
    return best?.endpoint;
  },
});

const MAX_FORESEEN_CALLS = 2;

/** What a failure of the first is still worth: the best of the others, a little later. */
function goOn(first: Prospect, prospects: readonly Prospect[]): number {
  let best = 0;
  for (const { endpoint, successRatio, value, totalMs } of prospects) {
    if (endpoint === first.endpoint) continue;
    const discount = totalMs > 0 ? totalMs / (totalMs + FAILURE_MS) : 1;
    best = Math.max(best, successRatio * value * discount);
  }
  return (1 - first.successRatio) * best;
}

function foresee(world: WorldView, request: SimRequest, endpoint: number, waitedMs: number): Prospect {
  const spec = world.endpoints[endpoint];
  const { errorRatio, hangRatio, cutRatio, unpaid, firstTokenFactor, perTokenFactor, priceFactor } =
    world.conditionOf(endpoint, request.replica);
  if (spec === undefined || unpaid) return { endpoint, successRatio: 0, value: 0, totalMs: 0 };
  const load = computeLoad(world.inFlightCount(endpoint) + 1, spec.softConcurrencyCount);
  const firstTokenMs =
    spec.firstTokenMs * firstTokenFactor * load * MEAN_FACTOR + 0.02 * request.promptTokens;
  const totalMs = waitedMs + firstTokenMs + spec.perTokenMs * perTokenFactor * MEAN_OUTPUT_TOKENS;
  const usd = (request.promptTokens * spec.inputUsd + MEAN_OUTPUT_TOKENS * spec.outputUsd) * priceFactor;
  const wanted = { ...request, outputTokens: MEAN_OUTPUT_TOKENS };
  const value = computeUtility(wanted, spec.quality, totalMs, usd / 1e6);
  return { endpoint, successRatio: (1 - errorRatio) * (1 - hangRatio) * (1 - cutRatio), value, totalMs };
}
