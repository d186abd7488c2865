/** Counts of requests by what they went through: groups, echelons, pools, chains, models, providers, deployments. */

import type { FallbackRecord, ScopeMetrics } from "../domain/metrics.ts";

/** The name of a scope: its kind, a blank, its name, as in `CandidateTier.scopes`: `group fast_group`. */
export type ScopeName = string;

/** What is known of one scope since the process began, or since its reset. */
export interface ScopeReport extends ScopeMetrics {
  /** 0 to 1; undefined before the first request. */
  readonly successRatio: number | undefined;
}

const MAX_FALLBACKS = 100;

interface ScopeCounts {
  totalCount: number;
  successfulCount: number;
  fallbackCount: number;
  /** A ring: the oldest is at `fallbackCount % MAX_FALLBACKS` once it is full. */
  readonly fallbacks: FallbackRecord[];
}

/**
 * Counts for the scopes of a configuration. Names that are not configured are not
 * counted, so what callers send cannot make it grow.
 */
export class ScopeStatistics {
  readonly #counts = new Map<ScopeName, ScopeCounts>();
  #members: ReadonlyMap<ScopeName, ReadonlySet<string>>;

  /** `members`: for each scope the ids of its deployments. */
  constructor(members: ReadonlyMap<ScopeName, ReadonlySet<string>>) {
    this.#members = members;
  }

  /** Takes a new configuration over: scopes that stay keep their counts, others are forgotten. */
  configure(members: ReadonlyMap<ScopeName, ReadonlySet<string>>): void {
    this.#members = members;
    for (const scope of this.#counts.keys()) {
      if (!members.has(scope)) this.#counts.delete(scope);
    }
  }

  /** Counts a request that ended, once in each different scope it went through. */
  recordRequest(scopes: readonly ScopeName[], succeeded: boolean): void {
    for (const scope of new Set(scopes)) {
      const counts = this.#open(scope);
      if (counts === undefined) continue;
      counts.totalCount += 1;
      if (succeeded) counts.successfulCount += 1;
    }
  }

  /** Remembers a fallback in each different scope it concerns. */
  recordFallback(scopes: readonly ScopeName[], fallback: FallbackRecord): void {
    for (const scope of new Set(scopes)) {
      const counts = this.#open(scope);
      if (counts === undefined) continue;
      counts.fallbacks[counts.fallbackCount % MAX_FALLBACKS] = fallback;
      counts.fallbackCount += 1;
    }
  }

  /** Reports a scope; undefined when the configuration has none of that name. */
  report(scope: ScopeName, isHealthy: (deploymentId: string) => boolean): ScopeReport | undefined {
    const members = this.#members.get(scope);
    if (members === undefined) return undefined;
    const counts = this.#counts.get(scope);
    const totalCount = counts?.totalCount ?? 0;
    const successfulCount = counts?.successfulCount ?? 0;
    let healthyCount = 0;
    for (const id of members) if (isHealthy(id)) healthyCount += 1;
    return {
      scope,
      totalRequestCount: totalCount,
      successfulRequestCount: successfulCount,
      successRatio: totalCount === 0 ? undefined : successfulCount / totalCount,
      healthyInstanceCount: healthyCount,
      totalInstanceCount: members.size,
      fallbackCount: counts?.fallbackCount ?? 0,
      fallbacks: counts === undefined ? [] : listFallbacks(counts),
    };
  }

  /** Reports every scope, in the order of the configuration. */
  reportAll(isHealthy: (deploymentId: string) => boolean): readonly ScopeReport[] {
    return [...this.#members.keys()].flatMap((scope) => this.report(scope, isHealthy) ?? []);
  }

  /** Begins a scope anew; false when the configuration has none of that name. Others keep their counts. */
  reset(scope: ScopeName): boolean {
    this.#counts.delete(scope);
    return this.#members.has(scope);
  }

  #open(scope: ScopeName): ScopeCounts | undefined {
    const known = this.#counts.get(scope);
    if (known !== undefined || !this.#members.has(scope)) return known;
    const counts: ScopeCounts = { totalCount: 0, successfulCount: 0, fallbackCount: 0, fallbacks: [] };
    this.#counts.set(scope, counts);
    return counts;
  }
}

function listFallbacks({ fallbacks, fallbackCount }: ScopeCounts): readonly FallbackRecord[] {
  if (fallbackCount <= MAX_FALLBACKS) return [...fallbacks];
  const oldest = fallbackCount % MAX_FALLBACKS;
  return [...fallbacks.slice(oldest), ...fallbacks.slice(0, oldest)];
}
