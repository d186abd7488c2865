import type { Deployment } from "../domain/deployment.ts";
import type { MetricsSnapshot, MetricsSource } from "../domain/metrics.ts";
import type { Cleanup, Clock } from "../domain/ports.ts";
import type { DeploymentFacts, DeploymentTable } from "../policies/deployment-table.ts";
import type { EvidenceTable } from "../policies/evidence/evidence-table.ts";
import type { QuotaQueues } from "../policies/quota-queues.ts";
import type { RequestTally } from "../policies/request-tally.ts";
import type { ScopeStatistics } from "../policies/scope-statistics.ts";

/** What snapshots are gathered from. */
export interface ReplicaMetricsParts {
  readonly clock: Clock;
  readonly deployments: DeploymentTable;
  readonly evidence: EvidenceTable;
  readonly quotaQueues: QuotaQueues;
  readonly requests: RequestTally;
  readonly scopes: ScopeStatistics;
  /** Names this process and no other. */
  readonly replicaId: string;
}

/** Gathers what this replica knows into one snapshot. */
export class ReplicaMetrics implements MetricsSource {
  readonly #parts: ReplicaMetricsParts;
  readonly #startedMs: number;
  readonly #byId: ReadonlyMap<string, Deployment>;

  constructor(parts: ReplicaMetricsParts) {
    this.#parts = parts;
    this.#startedMs = parts.clock.nowMs();
    const all = parts.deployments.models.flatMap((model) => model.deployments);
    this.#byId = new Map(all.map((deployment) => [deployment.id, deployment]));
  }

  snapshot(models: readonly string[]): MetricsSnapshot {
    const { clock, deployments, requests, scopes, replicaId } = this.#parts;
    return {
      wallMs: clock.wallMs(),
      replicaId,
      uptimeMs: clock.nowMs() - this.#startedMs,
      requests: requests.summarize(),
      models: deployments.snapshot(models, (deployment) => this.#readFacts(deployment)),
      scopes: models.length > 0 ? [] : scopes.reportAll((id) => this.#isHealthy(id)),
    };
  }

  onBreakerChange(fn: () => void): Cleanup {
    return this.#parts.deployments.onBreakerChange(() => fn());
  }

  #readFacts(deployment: Deployment): DeploymentFacts {
    const nowMs = this.#parts.clock.nowMs();
    const view = this.#parts.evidence.view(deployment, nowMs);
    return {
      quotaWaitingCount: this.#parts.quotaQueues.of(deployment).waitingCount,
      healthScore: view.healthScore,
      evidence: {
        successRatio: view.successMean,
        timeToFirstTokenMs: view.ttftMeanMs,
        timePerOutputTokenMs: view.tpotMs,
        headroomRatio: view.headroomRatio,
        admittedRatio: view.rampRatio,
        cooldownMs: remaining(view.cooldownUntilMs, nowMs),
        credentialDisabledMs: remaining(view.credentialDisabledUntilMs, nowMs),
      },
    };
  }

  /** Whether an attempt could be made at it now. */
  #isHealthy(id: string): boolean {
    const deployment = this.#byId.get(id);
    if (deployment === undefined) return false;
    const nowMs = this.#parts.clock.nowMs();
    const view = this.#parts.evidence.view(deployment, nowMs);
    const untilMs = Math.max(view.cooldownUntilMs, view.credentialDisabledUntilMs, view.heldUntilMs);
    return view.breaker !== "open" && view.permitAvailable && untilMs <= nowMs;
  }
}

function remaining(untilMs: number, nowMs: number): number | undefined {
  return untilMs > nowMs && Number.isFinite(untilMs) ? untilMs - nowMs : undefined;
}
