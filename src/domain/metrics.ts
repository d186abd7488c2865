/** What a replica knows of its models and deployments at one moment, as values. */

import type { Deployment, Model } from "./deployment.ts";
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
}

/** Where metrics come from. */
export interface MetricsSource {
  /** The state now, of the named models or of all when `models` is empty. Unknown names are left out. */
  snapshot(models: readonly string[]): MetricsSnapshot;
  /** Calls `fn` after each transition of a breaker. */
  onBreakerChange(fn: () => void): Cleanup;
}
