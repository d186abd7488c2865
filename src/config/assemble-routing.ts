import type { Priority, PriorityWeights } from "../domain/request.ts";
import type { BreakerPreset } from "../domain/targets.ts";
import type { RetryConfig, RoutingConfig } from "./config.ts";
import type { ConfigFile, ProviderEntry } from "./schema/config-schema.ts";

type RoutingEntry = ConfigFile["routing"];

/** What a valid file says of routing. */
export function assembleRouting({ routing, providers }: ConfigFile): RoutingConfig {
  const retry = assembleRetry(routing.retry);
  return {
    maxAttempts: routing.max_attempts,
    timeouts: {
      firstTokenMs: routing.timeouts.first_token,
      idleMs: routing.timeouts.idle,
      totalMs: routing.timeouts.total,
    },
    breaker: assembleBreaker(routing.breaker),
    maxWaitingAttempts: routing.max_waiting_attempts,
    performanceTracking: routing.performance_tracking,
    retry,
    providerRetry: assembleProviderRetry(retry, providers ?? {}),
    budgets: {
      extra: { ratio: routing.budgets.retry_ratio, perSecond: routing.budgets.retries_per_second },
      hedges: { ratio: routing.budgets.hedge_ratio, perSecond: 0 },
    },
    hedging: { enabled: routing.hedging.enabled, minDelayMs: routing.hedging.min_delay },
    weights: assembleWeights(routing.weights),
    contextOverflow: routing.context_overflow,
    bestOfTwo: {
      judge: routing.best_of_two.judge,
      judgeTimeoutMs: routing.best_of_two.judge_timeout,
    },
  };
}

function assembleRetry(entry: RoutingEntry["retry"]): RetryConfig {
  return {
    maxRetries: entry.max_retries,
    baseDelayMs: entry.base_delay,
    maxDelayMs: entry.max_delay,
    multiplier: entry.multiplier,
    jitterRatio: entry.jitter,
    retryClasses: new Set(entry.on),
  };
}

function assembleProviderRetry(
  usual: RetryConfig,
  providers: Readonly<Record<string, ProviderEntry>>,
): ReadonlyMap<string, RetryConfig> {
  const strategies = new Map<string, RetryConfig>();
  for (const [name, { retry }] of Object.entries(providers)) {
    if (retry === undefined) continue;
    const maxDelayMs = retry.max_delay ?? usual.maxDelayMs;
    strategies.set(name, {
      maxRetries: retry.max_retries ?? usual.maxRetries,
      baseDelayMs: Math.min(retry.base_delay ?? usual.baseDelayMs, maxDelayMs),
      maxDelayMs,
      multiplier: retry.multiplier ?? usual.multiplier,
      jitterRatio: retry.jitter ?? usual.jitterRatio,
      retryClasses: retry.on === undefined ? usual.retryClasses : new Set(retry.on),
    });
  }
  return strategies;
}

function assembleBreaker(entry: RoutingEntry["breaker"]): BreakerPreset {
  const { preset, failure_threshold, recovery_time, half_open_requests } = entry;
  const isCounting =
    preset === "counting" ||
    [failure_threshold, recovery_time, half_open_requests].some((value) => value !== undefined);
  if (!isCounting) return { kind: "adaptive" };
  return {
    kind: "counting",
    failureThreshold: failure_threshold ?? 5,
    recoveryTimeMs: recovery_time ?? 30_000,
    halfOpenRequests: half_open_requests ?? 1,
  };
}

function assembleWeights(weights: RoutingEntry["weights"]): Readonly<Record<Priority, PriorityWeights>> {
  return {
    speed: normalizeWeights(weights.speed),
    quality: normalizeWeights(weights.quality),
    cost: normalizeWeights(weights.cost),
    balanced: normalizeWeights(weights.balanced),
  };
}

/** Makes the weights add up to 1; weights that do already stay as they are written. */
function normalizeWeights({ quality, latency, cost }: PriorityWeights): PriorityWeights {
  const sum = quality + latency + cost;
  if (Math.abs(sum - 1) < 1e-9) return { quality, latency, cost };
  return { quality: quality / sum, latency: latency / sum, cost: cost / sum };
}
