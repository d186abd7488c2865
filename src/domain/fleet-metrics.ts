/** What a replica hears of the others, as values. */

import type { BusCounts } from "./health-bus.ts";

/** `alone`: nothing is shared, as configured. `cut_off`: the others cannot be reached now. */
export type SharingState = "alone" | "connected" | "cut_off";

/** Why a message of another replica is not heeded; see `RefusalReason` in metrics.proto. */
export const REFUSAL_REASONS = [
  "invalid",
  "too_large",
  "wrong_sender",
  "repeated",
  "too_many",
  "late",
  "unknown_deployment",
  "too_many_replicas",
] as const;

export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** Another replica. */
export interface ReplicaMetrics {
  readonly replicaId: string;
  readonly version: string;
  /** Since its last message. */
  readonly ageMs: number;
  readonly uptimeMs: number;
  readonly draining: boolean;
  /** Heard of in the last 5 s. */
  readonly live: boolean;
  /** Not listened to about health. */
  readonly muted: boolean;
  /** Deployments whose circuit breaker is closed here and not there, or the other way round. */
  readonly disagreementCount: number;
  /** How often an attempt here showed that it was wrong. */
  readonly refutedCount: number;
  /** Its messages that never came. */
  readonly lostCount: number;
}

/** What all replicas together say of a deployment over the last minute. */
export interface FleetDeployment {
  readonly deploymentId: string;
  readonly endedCount: number;
  readonly failedCount: number;
  readonly inFlightCount: number;
  /** Whether the others' evidence keeps this replica from choosing it. */
  readonly suspect: boolean;
  /** Other replicas whose circuit breaker is not closed. */
  readonly openReplicaCount: number;
  /** Undefined when no other replica has told anything. */
  readonly evidenceAgeMs: number | undefined;
}

export interface FleetMetrics {
  readonly state: SharingState;
  /** By id. */
  readonly replicas: readonly ReplicaMetrics[];
  /** Messages since the start. */
  readonly receivedCount: number;
  readonly refusedCounts: ReadonlyMap<RefusalReason, number>;
  readonly sentCount: number;
  /** Messages and events that could not be sent or were left out under load. */
  readonly droppedCount: number;
  /** In the order of the catalog. */
  readonly deployments: readonly FleetDeployment[];
  /** Undefined where no network is in between. */
  readonly bus: BusCounts | undefined;
}

/** Nothing is shared. */
export const ALONE: FleetMetrics = {
  state: "alone",
  replicas: [],
  receivedCount: 0,
  refusedCounts: new Map(),
  sentCount: 0,
  droppedCount: 0,
  deployments: [],
  bus: undefined,
};
