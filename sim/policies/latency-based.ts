import { Cooldown, type CooldownOptions } from "./cooldown.ts";
import { MinuteUsage } from "./minute-usage.ts";
import { pickLeastAtRandom } from "./pick.ts";
import type { PolicyFactory } from "./policy.ts";

const SAMPLE_COUNT = 10;
const SAMPLE_LIFE_MS = 3_600_000;
/** What a timeout counts as, in seconds per token. */
const TIMEOUT_PENALTY_S = 1_000;

/**
 * LiteLLM latency-based: the least mean of the last ten seconds-per-output-token; who has no
 * samples counts as 0, equal ones at random; only a timeout is punished; whose limits of the minute
 * are used up is left out. `fixed` false is
 * the version as it was read: with ten samples the new one replaces the tenth and the nine
 * oldest stay until the hour is over; true shifts the oldest out.
 */
export function latencyBasedPolicy(fixed: boolean, options: CooldownOptions): PolicyFactory {
  return (context) => {
    const { nowMs, random, endpoints } = context;
    const usage = new MinuteUsage(context);
    const cooldown = new Cooldown(nowMs, options);
    const samples: { values: number[]; writtenMs: number }[] = endpoints.map(() => ({
      values: [],
      writtenMs: 0,
    }));
    const meanOf = (endpoint: number) => {
      const entry = samples[endpoint];
      if (entry === undefined || nowMs() - entry.writtenMs > SAMPLE_LIFE_MS || entry.values.length === 0)
        return 0;
      return entry.values.reduce((sum, value) => sum + value, 0) / entry.values.length;
    };
    const add = (endpoint: number, value: number) => {
      const entry = samples[endpoint];
      if (entry === undefined) return;
      if (entry.values.length < SAMPLE_COUNT) entry.values.push(value);
      else if (fixed) entry.values = [...entry.values.slice(1), value];
      else entry.values[SAMPLE_COUNT - 1] = value;
      entry.writtenMs = nowMs();
    };
    return {
      choose(request, untried) {
        const admitted = cooldown.admit(untried);
        const free = admitted.filter((endpoint) => usage.hasRoom(endpoint, request));
        return pickLeastAtRandom(free.length > 0 ? free : admitted, meanOf, random);
      },
      onStart: (endpoint, request) => usage.add(endpoint, request.promptTokens),
      onEnd(report) {
        cooldown.note(report);
        usage.addTokens(report.endpoint, report.outputTokens);
        if (report.outcome === "timeout") add(report.endpoint, TIMEOUT_PENALTY_S);
        else if (report.outcome === "ok")
          add(report.endpoint, report.totalMs / 1_000 / Math.max(report.outputTokens, 1));
      },
    };
  };
}
