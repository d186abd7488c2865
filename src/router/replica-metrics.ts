import type { MetricsSnapshot, MetricsSource } from "../domain/metrics.ts";
import type { Cleanup, Clock } from "../domain/ports.ts";
import type { DeploymentTable } from "../policies/deployment-table.ts";
import type { RequestTally } from "../policies/request-tally.ts";

/** Gathers what this replica knows into one snapshot. */
export class ReplicaMetrics implements MetricsSource {
  readonly #deployments: DeploymentTable;
  readonly #requests: RequestTally;
  readonly #clock: Clock;
  readonly #replicaId: string;
  readonly #startedMs: number;

  /** `replicaId` names this process and no other. */
  constructor(deployments: DeploymentTable, requests: RequestTally, clock: Clock, replicaId: string) {
    this.#deployments = deployments;
    this.#requests = requests;
    this.#clock = clock;
    this.#replicaId = replicaId;
    this.#startedMs = clock.nowMs();
  }

  snapshot(models: readonly string[]): MetricsSnapshot {
    return {
      wallMs: this.#clock.wallMs(),
      replicaId: this.#replicaId,
      uptimeMs: this.#clock.nowMs() - this.#startedMs,
      requests: this.#requests.summarize(),
      models: this.#deployments.snapshot(models),
    };
  }

  onBreakerChange(fn: () => void): Cleanup {
    return this.#deployments.onBreakerChange(() => fn());
  }
}
