import { ALONE, type FleetMetrics } from "../domain/fleet-metrics.ts";
import type { BusCounts, HealthBus } from "../domain/health-bus.ts";
import type { MetricsScope, MetricsSnapshot, MetricsSource } from "../domain/metrics.ts";
import type { Cleanup } from "../domain/ports.ts";
import type { EvidenceTable } from "../policies/evidence/evidence-table.ts";
import type { EvidenceExchange } from "./evidence-exchange.ts";

/** What the fleet's part of metrics is gathered from. */
export interface FleetMetricsParts {
  readonly bus: HealthBus;
  readonly evidence: EvidenceTable;
  readonly exchange: EvidenceExchange;
  /** Left out where no network is in between. */
  readonly readBusCounts?: (() => BusCounts) | undefined;
  /** Events that were left out. */
  countDroppedEvents(): number;
}

/** A replica's metrics, with what it hears of the others where that is asked for. */
export class FleetMetricsSource implements MetricsSource {
  readonly #own: MetricsSource;
  readonly #parts: FleetMetricsParts | undefined;

  /** Without parts nothing is shared. */
  constructor(own: MetricsSource, parts: FleetMetricsParts | undefined) {
    this.#own = own;
    this.#parts = parts;
  }

  snapshot(models: readonly string[], scope: MetricsScope = "replica"): MetricsSnapshot {
    const snapshot = this.#own.snapshot(models);
    return scope === "fleet" ? { ...snapshot, fleet: this.#describe(snapshot) } : snapshot;
  }

  onBreakerChange(fn: () => void): Cleanup {
    return this.#own.onBreakerChange(fn);
  }

  #describe({ models }: MetricsSnapshot): FleetMetrics {
    if (this.#parts === undefined) return ALONE;
    const { bus, evidence, exchange, countDroppedEvents, readBusCounts } = this.#parts;
    const live = new Set(evidence.listLiveReplicas());
    const muted = evidence.mutedReplicas;
    const { inbox } = exchange;
    return {
      state: bus.state === "connected" ? "connected" : "cut_off",
      replicas: inbox.listPeers().map((peer) => ({
        ...peer,
        live: live.has(peer.replicaId),
        muted: muted.has(peer.replicaId),
        ...evidence.compareWith(peer.replicaId),
      })),
      receivedCount: inbox.receivedCount,
      refusedCounts: inbox.refused,
      sentCount: exchange.sentCount,
      bus: readBusCounts?.(),
      droppedCount: exchange.droppedCount + countDroppedEvents(),
      deployments: models.flatMap(({ deployments }) =>
        deployments.map(({ deployment }) => ({
          deploymentId: deployment.id,
          ...evidence.describeFleet(deployment),
        })),
      ),
    };
  }
}
