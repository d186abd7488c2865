import { COUNTER_FIELDS, type SeriesValue } from "../../src/core/evidence/bucket-series.ts";
import type { ReplicaEvidence } from "../../src/core/evidence/replica-evidence.ts";
import type { TimeBucket } from "../../src/core/evidence/time-ring.ts";
import type { Deployment } from "../../src/domain/deployment.ts";
import type { Cleanup, Clock } from "../../src/domain/ports.ts";
import type { EvidenceTable } from "../../src/policies/evidence/evidence-table.ts";
import { drawUnit } from "../world/draws.ts";
import type { GossipBus } from "./gossip-bus.ts";
import type { SluiceOptions } from "./sluice-options.ts";

const DELTA_MS = 250;
const DIGEST_MS = 10_000;
const SPREAD_RATIO = 0.2;
/** The newest buckets in a delta: the one before the newest too, so that one lost message costs nothing. */
const DELTA_BUCKET_COUNT = 2;
const MAX_ALERTS_PER_S = 20;

/** Which counters are kept back when a part of the sharing is taken away. */
const QUOTA_FIELDS = ["started", "reservedTokens", "settledTokens"] as const;
const FAILURE_FIELDS = ["hard", "weak"] as const;

/** What gossip needs of its replica. */
export interface GossipParts {
  readonly replica: number;
  readonly seed: number;
  readonly clock: Clock;
  readonly bus: GossipBus;
  readonly evidence: EvidenceTable;
  readonly deployments: readonly Deployment[];
  readonly options: SluiceOptions;
}

/** Tells the other replicas what this one has counted: deltas, alerts at once, digests now and then (routing.md 4.7). */
export class ReplicaGossip {
  readonly #parts: GossipParts;
  readonly #changed = new Set<Deployment>();
  readonly #hidden: ReadonlySet<number>;
  #sequence = 0;
  #tickCount = 0;
  #nextDigestMs: number;
  #alertBudget = MAX_ALERTS_PER_S;
  #alertMs: number;
  #stopTimer: Cleanup = () => {};

  constructor(parts: GossipParts) {
    this.#parts = parts;
    const { options, clock } = parts;
    const names = [
      ...(options.quotaSharing ? [] : QUOTA_FIELDS),
      ...(options.tripTest ? [] : FAILURE_FIELDS),
    ];
    this.#hidden = new Set(names.map((name) => COUNTER_FIELDS[name]));
    this.#nextDigestMs = clock.nowMs() + DIGEST_MS;
    this.#alertMs = clock.nowMs();
    parts.bus.join((messages) => {
      for (const message of messages) parts.evidence.merge(message);
    });
    this.#arm();
  }

  /** Something was counted; it goes with the next delta. */
  noteChange(deployment: Deployment): void {
    this.#changed.add(deployment);
  }

  /** Something bad was counted; it goes at once, unless there are too many. */
  alert(deployment: Deployment): void {
    this.#changed.add(deployment);
    const nowMs = this.#parts.clock.nowMs();
    const refilled = this.#alertBudget + ((nowMs - this.#alertMs) / 1_000) * MAX_ALERTS_PER_S;
    this.#alertBudget = Math.min(refilled, MAX_ALERTS_PER_S);
    this.#alertMs = nowMs;
    if (this.#alertBudget < 1) return;
    this.#alertBudget -= 1;
    this.#send([deployment], DELTA_BUCKET_COUNT);
  }

  close(): void {
    this.#stopTimer();
  }

  #arm(): void {
    const { seed, replica, clock } = this.#parts;
    const spread = 1 + SPREAD_RATIO * (2 * drawUnit(seed, this.#tickCount++, replica, 0, 60) - 1);
    this.#stopTimer = clock.timer(DELTA_MS * spread, () => {
      this.#tick();
      this.#arm();
    });
  }

  #tick(): void {
    const nowMs = this.#parts.clock.nowMs();
    if (nowMs >= this.#nextDigestMs) {
      this.#nextDigestMs = nowMs + DIGEST_MS;
      this.#send(this.#parts.deployments, undefined);
    } else if (this.#changed.size > 0) {
      this.#send([...this.#changed], DELTA_BUCKET_COUNT);
    }
    this.#changed.clear();
  }

  #send(deployments: readonly Deployment[], bucketCount: number | undefined): void {
    const { bus, replica } = this.#parts;
    const messages = deployments.map((deployment) => this.#report(deployment, bucketCount));
    bus.publish(replica, messages);
  }

  #report(deployment: Deployment, bucketCount: number | undefined): ReplicaEvidence {
    const { evidence, replica } = this.#parts;
    const { series, ...rest } = evidence.report(deployment, bucketCount, bucketCount);
    return {
      replicaId: `replica-${replica}`,
      incarnation: 1,
      sequence: this.#sequence++,
      deploymentId: deployment.id,
      ...rest,
      series: this.#hidden.size === 0 ? series : this.#hide(series),
    };
  }

  #hide({ fine, coarse }: SeriesValue): SeriesValue {
    const hide = ({ index, values }: TimeBucket): TimeBucket => ({
      index,
      values: values.map((value, field) => (this.#hidden.has(field) ? 0 : value)),
    });
    return { fine: fine.map(hide), coarse: coarse.map(hide) };
  }
}
