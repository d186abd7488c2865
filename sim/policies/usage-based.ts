import { Cooldown, type CooldownOptions } from "./cooldown.ts";
import { MinuteUsage } from "./minute-usage.ts";
import { pickLeastAtRandom } from "./pick.ts";
import type { PolicyFactory } from "./policy.ts";

/** What a Redis holds for all replicas: the use of the minute, and who is out until when. */
interface SharedMemory {
  readonly usage: MinuteUsage;
  readonly outUntilMs: Map<number, number>;
}

/**
 * LiteLLM usage-based v2: the fewest tokens in the current minute, at random of equal ones, requests
 * counted beforehand. `shared` true is with a Redis: replicas see each other's use and cooldowns at
 * once; failures each counts alone, as there.
 */
export function usageBasedPolicy(shared: boolean, options: CooldownOptions): PolicyFactory {
  const memories = new WeakMap<object, SharedMemory>();
  return (context) => {
    const known = shared ? memories.get(context.fleet) : undefined;
    const memory = known ?? { usage: new MinuteUsage(context), outUntilMs: new Map<number, number>() };
    memories.set(context.fleet, memory);
    const { usage, outUntilMs } = memory;
    const cooldown = new Cooldown(context.nowMs, options, outUntilMs);
    return {
      choose(request, untried) {
        const admitted = cooldown.admit(untried).filter((endpoint) => usage.hasRoom(endpoint, request));
        return pickLeastAtRandom(
          admitted.length > 0 ? admitted : untried,
          (endpoint) => usage.tokensOf(endpoint),
          context.random,
        );
      },
      onStart: (endpoint, request) => usage.add(endpoint, request.promptTokens),
      onEnd: (report) => {
        usage.addTokens(report.endpoint, report.outputTokens);
        cooldown.note(report);
      },
    };
  };
}
