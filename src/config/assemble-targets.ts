import type { Alias, BreakerPreset, Chain, Echelon, Group, Pool, Targets } from "../domain/targets.ts";
import type { ConfigFile } from "./schema/config-schema.ts";
import { type GroupEntry, groupFallbackSection } from "./schema/group-section.ts";
import { type PoolEntry, poolFallbackSection } from "./schema/pool-section.ts";

/** Everything a valid file lets requests aim at, in the order of the file. */
export function assembleTargets(file: ConfigFile): Targets {
  return {
    groups: Object.entries(file.groups ?? {}).map(assembleGroup),
    pools: Object.entries(file.pools ?? {}).map(assemblePool),
    chains: Object.entries(file.chains ?? {}).map(
      ([name, { description, roles, selection, strategy }]): Chain => ({
        name,
        description,
        roles,
        selection,
        strategy,
      }),
    ),
    aliases: Object.entries(file.aliases ?? {}).map(
      ([name, entry]): Alias => ({
        name,
        target: entry.target,
        fallbacks: entry.fallbacks ?? entry.fallback_groups ?? [],
      }),
    ),
    defaults: {
      target: file.defaults.target,
      strategy: file.defaults.strategy,
      taskType: file.defaults.task_type,
    },
  };
}

function assembleGroup([name, entry]: readonly [string, GroupEntry]): Group {
  const fallback = entry.fallback ?? entry.fallback_config ?? groupFallbackSection.parse({});
  const breaker = fallback.circuit_breaker;
  return {
    name,
    description: entry.description,
    // The sort is stable: equal priorities stay in the file's order.
    echelons: Object.entries(entry.echelons)
      .map(assembleEchelon)
      .toSorted((a, b) => a.priority - b.priority),
    rotation: entry.rotation,
    fallback: {
      strategy: fallback.strategy,
      targets: fallback.targets ?? fallback.fallback_groups ?? [],
      maxAttempts: fallback.max_attempts,
      retryDelayMs: fallback.retry_delay,
      breaker: breaker && {
        kind: "counting",
        failureThreshold: breaker.failure_threshold,
        recoveryTimeMs: breaker.recovery_time,
        halfOpenRequests: breaker.half_open_requests,
      },
    },
  };
}

function assembleEchelon([name, entry]: readonly [string, GroupEntry["echelons"][string]]): Echelon {
  const settings = {
    concurrencyLimit: entry.concurrency_limit,
    rpmLimit: entry.rpm_limit,
    timeoutMs: entry.timeout,
    maxRetries: entry.max_retries,
    temperature: entry.temperature,
    maxOutputTokens: entry.max_tokens,
  };
  return {
    name,
    priority: entry.priority ?? Number(name.slice("echelon".length)),
    models: entry.models,
    settings: Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
  };
}

function assemblePool([name, entry]: readonly [string, PoolEntry]): Pool {
  const fallback = entry.fallback ?? entry.fallback_config ?? poolFallbackSection.parse({});
  return {
    name,
    description: entry.description,
    members: entry.members ?? entry.task_groups ?? [],
    rotation: entry.rotation ?? entry.rotation_strategy ?? "round_robin",
    weights: entry.weights ?? {},
    healthCheckIntervalMs: entry.health_check_interval,
    breaker: assemblePoolBreaker(entry),
    fallback: { strategy: fallback.strategy, maxInstanceAttempts: fallback.max_instance_attempts },
  };
}

function assemblePoolBreaker({ failure_threshold, recovery_time }: PoolEntry): BreakerPreset | undefined {
  if (failure_threshold === undefined && recovery_time === undefined) return undefined;
  return {
    kind: "counting",
    failureThreshold: failure_threshold ?? 3,
    recoveryTimeMs: recovery_time ?? 60_000,
    halfOpenRequests: 1,
  };
}
