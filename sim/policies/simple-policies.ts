/** Policies that one sentence describes; all but round robin with LiteLLM's cooldown. */

import { Cooldown, type CooldownOptions } from "./cooldown.ts";
import { MinuteUsage } from "./minute-usage.ts";
import { pickLeast, pickLeastAtRandom, pickWeighted } from "./pick.ts";
import type { PolicyContext, PolicyFactory } from "./policy.ts";

/** Everybody in turn. */
export const roundRobinPolicy: PolicyFactory = ({ endpoints }) => {
  let turn = 0;
  return {
    choose(_request, untried) {
      for (let step = 0; step < endpoints.length; step++) {
        const endpoint = turn++ % endpoints.length;
        if (untried.includes(endpoint)) return endpoint;
      }
      return undefined;
    },
  };
};

/** LiteLLM simple-shuffle: at random in proportion to the configured requests per minute. */
export function shufflePolicy(options: CooldownOptions): PolicyFactory {
  return (context) => {
    const cooldown = new Cooldown(context.nowMs, options);
    const weightOf = (endpoint: number) => context.endpoints[endpoint]?.requestsPerMinute ?? 0;
    return {
      choose: (_request, untried) => pickWeighted(cooldown.admit(untried), weightOf, context.random),
      onEnd: (report) => cooldown.note(report),
    };
  };
}

/** LiteLLM least-busy: the fewest calls in flight at this replica, at random of equal ones. */
export function leastBusyPolicy(options: CooldownOptions): PolicyFactory {
  return ({ nowMs, random, endpoints }) => {
    const cooldown = new Cooldown(nowMs, options);
    const inFlight = endpoints.map(() => 0);
    return {
      choose: (_request, untried) =>
        pickLeastAtRandom(cooldown.admit(untried), (endpoint) => inFlight[endpoint] ?? 0, random),
      onStart(endpoint) {
        inFlight[endpoint] = (inFlight[endpoint] ?? 0) + 1;
      },
      onEnd(report) {
        inFlight[report.endpoint] = (inFlight[report.endpoint] ?? 0) - 1;
        cooldown.note(report);
      },
    };
  };
}

/** LiteLLM lowest-cost: the cheapest whose limits of the minute are not used up by this replica's share. */
export function lowestCostPolicy(options: CooldownOptions): PolicyFactory {
  return (context) => {
    const cooldown = new Cooldown(context.nowMs, options);
    const usage = new MinuteUsage(context);
    return {
      choose(request, untried) {
        const admitted = cooldown.admit(untried).filter((endpoint) => usage.hasRoom(endpoint, request));
        return pickLeast(admitted.length > 0 ? admitted : untried, (endpoint) => priceOf(context, endpoint));
      },
      onStart: (endpoint, request) => usage.add(endpoint, request.promptTokens),
      onEnd: (report) => {
        usage.addTokens(report.endpoint, report.outputTokens);
        cooldown.note(report);
      },
    };
  };
}

function priceOf({ endpoints, priceFactorOf }: PolicyContext, endpoint: number): number {
  const spec = endpoints[endpoint];
  return spec === undefined ? 0 : (spec.inputUsd + spec.outputUsd) * priceFactorOf(endpoint);
}
