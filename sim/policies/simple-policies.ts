/** Policies that one sentence describes; all but round robin with LiteLLM's cooldown. */

import { Cooldown, type CooldownOptions } from "./cooldown.ts";
import { pickLeast, pickWeighted } from "./pick.ts";
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

/** LiteLLM least-busy: the fewest calls in flight at this replica. */
export function leastBusyPolicy(options: CooldownOptions): PolicyFactory {
  return ({ nowMs, endpoints }) => {
    const cooldown = new Cooldown(nowMs, options);
    const inFlight = endpoints.map(() => 0);
    return {
      choose: (_request, untried) =>
        pickLeast(cooldown.admit(untried), (endpoint) => inFlight[endpoint] ?? 0),
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
      choose(_request, untried) {
        const admitted = cooldown.admit(untried).filter((endpoint) => usage.hasRoom(endpoint));
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

/** LiteLLM usage-based v2 without a shared Redis: the fewest tokens in the current minute, requests counted beforehand. */
export function usageBasedPolicy(options: CooldownOptions): PolicyFactory {
  return (context) => {
    const cooldown = new Cooldown(context.nowMs, options);
    const usage = new MinuteUsage(context);
    return {
      choose(_request, untried) {
        const admitted = cooldown.admit(untried).filter((endpoint) => usage.hasRoom(endpoint));
        return pickLeast(admitted.length > 0 ? admitted : untried, (endpoint) => usage.tokensOf(endpoint));
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

const MINUTE_MS = 60_000;

/** Requests and tokens of the current minute on the wall clock: windows that begin anew with each minute. */
class MinuteUsage {
  readonly #context: PolicyContext;
  readonly #requests: number[] = [];
  readonly #tokens: number[] = [];
  #minute = -1;

  constructor(context: PolicyContext) {
    this.#context = context;
  }

  hasRoom(endpoint: number): boolean {
    this.#turn();
    const { endpoints, regime } = this.#context;
    const limit = (endpoints[endpoint]?.requestsPerMinute ?? 0) * regime.quotaRatio;
    return (this.#requests[endpoint] ?? 0) < limit;
  }

  tokensOf(endpoint: number): number {
    this.#turn();
    return this.#tokens[endpoint] ?? 0;
  }

  add(endpoint: number, promptTokens: number): void {
    this.#turn();
    this.#requests[endpoint] = (this.#requests[endpoint] ?? 0) + 1;
    this.addTokens(endpoint, promptTokens);
  }

  addTokens(endpoint: number, tokens: number): void {
    this.#turn();
    this.#tokens[endpoint] = (this.#tokens[endpoint] ?? 0) + tokens;
  }

  #turn(): void {
    const minute = Math.floor(this.#context.nowMs() / MINUTE_MS);
    if (minute === this.#minute) return;
    this.#minute = minute;
    this.#requests.length = 0;
    this.#tokens.length = 0;
  }
}
