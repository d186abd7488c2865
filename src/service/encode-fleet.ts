/** What a replica hears of the others, in the contract's words. */

import { create } from "@bufbuild/protobuf";
import {
  BusDropReason as BusDropReasonEnum,
  BusDropsSchema,
  BusMetricsSchema,
  FleetDeploymentSchema,
  type FleetMetrics as FleetMetricsMessage,
  FleetMetricsSchema,
  RefusalReason as RefusalReasonEnum,
  RefusedMessagesSchema,
  ReplicaMetricsSchema,
  SharingState as SharingStateEnum,
} from "../../gen/sluice/v1/metrics_pb.ts";
import type {
  FleetDeployment,
  FleetMetrics,
  RefusalReason,
  ReplicaMetrics,
  SharingState,
} from "../domain/fleet-metrics.ts";
import type { BusCounts, BusDropReason } from "../domain/health-bus.ts";
import { encodeDuration } from "./encode-attempt.ts";

const STATES: Readonly<Record<SharingState, SharingStateEnum>> = {
  alone: SharingStateEnum.ALONE,
  connected: SharingStateEnum.CONNECTED,
  cut_off: SharingStateEnum.CUT_OFF,
};

const REASONS: Readonly<Record<RefusalReason, RefusalReasonEnum>> = {
  invalid: RefusalReasonEnum.INVALID,
  too_large: RefusalReasonEnum.TOO_LARGE,
  wrong_sender: RefusalReasonEnum.WRONG_SENDER,
  repeated: RefusalReasonEnum.REPEATED,
  too_many: RefusalReasonEnum.TOO_MANY,
  late: RefusalReasonEnum.LATE,
  unknown_deployment: RefusalReasonEnum.UNKNOWN_DEPLOYMENT,
  too_many_replicas: RefusalReasonEnum.TOO_MANY_REPLICAS,
};

const DROPS: Readonly<Record<BusDropReason, BusDropReasonEnum>> = {
  unconnected: BusDropReasonEnum.UNCONNECTED,
  send_queue_full: BusDropReasonEnum.SEND_QUEUE_FULL,
  unsendable: BusDropReasonEnum.UNSENDABLE,
  receive_queue_full: BusDropReasonEnum.RECEIVE_QUEUE_FULL,
  unreadable: BusDropReasonEnum.UNREADABLE,
  forbidden: BusDropReasonEnum.FORBIDDEN,
};

/** Translates what is heard of the others. */
export function encodeFleet(fleet: FleetMetrics): FleetMetricsMessage {
  return create(FleetMetricsSchema, {
    sharingState: STATES[fleet.state],
    replicas: fleet.replicas.map(encodeReplica),
    receivedCount: BigInt(fleet.receivedCount),
    refused: [...fleet.refusedCounts].map(([reason, count]) =>
      create(RefusedMessagesSchema, { reason: REASONS[reason], count: BigInt(count) }),
    ),
    sentCount: BigInt(fleet.sentCount),
    droppedCount: BigInt(fleet.droppedCount),
    deployments: fleet.deployments.map(encodeDeployment),
    ...(fleet.bus === undefined ? {} : { bus: encodeBus(fleet.bus) }),
  });
}

function encodeBus(bus: BusCounts) {
  return create(BusMetricsSchema, {
    connectionCount: BigInt(bus.connectionCount),
    failureCount: BigInt(bus.failureCount),
    waitingCount: bus.waitingCount,
    unansweredBytes: BigInt(bus.unansweredBytes),
    drops: [...bus.droppedCounts].map(([reason, count]) =>
      create(BusDropsSchema, { reason: DROPS[reason], count: BigInt(count) }),
    ),
  });
}

function encodeReplica(replica: ReplicaMetrics) {
  return create(ReplicaMetricsSchema, {
    replicaId: replica.replicaId,
    version: replica.version,
    age: encodeDuration(replica.ageMs),
    uptimeDuration: encodeDuration(replica.uptimeMs),
    draining: replica.draining,
    live: replica.live,
    muted: replica.muted,
    disagreementCount: replica.disagreementCount,
    refutedCount: replica.refutedCount,
    lostCount: BigInt(replica.lostCount),
  });
}

function encodeDeployment(deployment: FleetDeployment) {
  const { evidenceAgeMs } = deployment;
  return create(FleetDeploymentSchema, {
    deployment: deployment.deploymentId,
    endedCount: BigInt(deployment.endedCount),
    failedCount: BigInt(deployment.failedCount),
    inFlightCount: deployment.inFlightCount,
    suspect: deployment.suspect,
    openReplicaCount: deployment.openReplicaCount,
    ...(evidenceAgeMs === undefined ? {} : { evidenceAge: encodeDuration(evidenceAgeMs) }),
  });
}
