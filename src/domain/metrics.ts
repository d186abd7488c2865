/** What a replica knows of its models and deployments at one moment, as values. */

import type { Deployment, Model } from "./deployment.ts";
import type { FleetMetrics } from "./fleet-metrics.ts";
import type { Outcome } from "./outcome.ts";
import type { Cleanup } from "./ports.ts";
import type { Usage } from "./usage.ts";

export type BreakerState = "closed" | "open" | "half_open";

/** A distribution of durations; percentiles are exact to 5 %. */
export interface LatencySummary {
  readonly sampleCount: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** Attempts since the start of the process. */
export interface AttemptMetrics {
  readonly startedCount: number;
  readonly inFlightCount: number;
  /** Only outcomes that happened. */
  readonly outcomeCounts: ReadonlyMap<Outcome, number>;
  /** Successes over attempts that say something about health; undefined while there is none. */
  readonly successRatio: number | undefined;
  readonly totalLatency: LatencySummary | undefined;
  readonly timeToFirstToken: LatencySummary | undefined;
  readonly usage: Usage;
}

export interface DeploymentMetrics {
  readonly deployment: Deployment;
  readonly breakerState: BreakerState;
  readonly consecutiveFailureCount: number;
  /** Only while open. */
  readonly nextProbeDelayMs: number | undefined;
  readonly attempts: AttemptMetrics;
  /** Attempts that wait for their turn here; one that waits at several deployments counts at each. */
  readonly waitingCount: number;
  /** 0 bad to 1 good; an output only. */
  readonly healthScore: number;
  readonly evidence: EvidenceSummary;
}

/** What routing expects of a deployment. */
export interface EvidenceSummary {
  readonly successRatio: number;
  readonly timeToFirstTokenMs: number;
  readonly timePerOutputTokenMs: number;
  readonly headroomRatio: number;
  /** The share of its ordinary traffic it is given, 0 to 1. */
  readonly admittedRatio: number;
  /** Undefined when its provider did not ask to be left alone. */
  readonly cooldownMs: number | undefined;
  /** Undefined when its credential was not refused. */
  readonly credentialDisabledMs: number | undefined;
}

/** A request that left one deployment for another. */
export interface FallbackRecord {
  /** The id of the deployment that failed. */
  readonly from: string;
  /** The id of the one taken next. */
  readonly to: string;
  /** How the first attempt ended. */
  readonly outcome: Outcome;
  /** Milliseconds since the Unix epoch. */
  readonly atWallMs: number;
}

/** Something that requests go through: a model, provider, group, echelon, pool or chain. */
export interface ScopeMetrics {
  /** Its kind, a blank, its name: `group fast_group`. */
  readonly scope: string;
  readonly totalRequestCount: number;
  readonly successfulRequestCount: number;
  /** Instances that could serve now. */
  readonly healthyInstanceCount: number;
  readonly totalInstanceCount: number;
  readonly fallbackCount: number;
  /** The last 100, the oldest first. */
  readonly fallbacks: readonly FallbackRecord[];
}

export interface ModelMetrics {
  readonly model: Model;
  readonly total: AttemptMetrics;
  readonly deployments: readonly DeploymentMetrics[];
}

/** Requests since the start of the process. */
export interface RequestMetrics {
  readonly startedCount: number;
  readonly succeededCount: number;
  /** Without those the caller cancelled. */
  readonly failedCount: number;
  readonly cancelledCount: number;
  readonly inFlightCount: number;
  /** Answered by another attempt than the first. */
  readonly fallbackCount: number;
}

export interface MetricsSnapshot {
  readonly wallMs: number;
  readonly replicaId: string;
  readonly uptimeMs: number;
  readonly requests: RequestMetrics;
  /** In the order of the catalog. */
  readonly models: readonly ModelMetrics[];
  /** In the order of the configuration; empty when models were named. */
  readonly scopes: readonly ScopeMetrics[];
  /** What is heard of the other replicas; only where that was asked for. */
  readonly fleet?: FleetMetrics;
}

/** Whose knowledge metrics report. */
export type MetricsScope = "replica" | "fleet";

/** Where metrics come from. */
export interface MetricsSource {
  /** The state now, of the named models or of all when `models` is empty. Unknown names are left out. */
  snapshot(models: readonly string[], scope?: MetricsScope): MetricsSnapshot;
  /** Calls `fn` after each transition of a breaker. */
  onBreakerChange(fn: () => void): Cleanup;
}
