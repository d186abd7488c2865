/** The other replicas, as lines for the terminal. */

import {
  type BusMetrics,
  type FleetMetrics,
  type ReplicaMetrics,
  SharingState,
  SharingStateSchema,
} from "../../gen/sluice/v1/metrics_pb.ts";
import { nameEnumValue } from "./answer-summary.ts";
import type { Emphasis, Paint } from "./colour.ts";
import { formatCount, formatDuration, UNKNOWN } from "./number-text.ts";
import { type Column, renderTable } from "./text-table.ts";

const COLUMNS: readonly Column<ReplicaMetrics>[] = [
  { heading: "REPLICA", text: ({ replicaId }) => replicaId },
  { heading: "STATE", text: describeState, emphasis: judgeState },
  { heading: "VERSION", text: ({ version }) => version || UNKNOWN },
  { heading: "HEARD", align: "right", text: ({ age }) => formatDuration(age) },
  { heading: "UP", align: "right", text: ({ uptimeDuration }) => formatDuration(uptimeDuration) },
  {
    heading: "DISAGREES",
    align: "right",
    text: ({ disagreementCount }) => formatCount(disagreementCount),
    emphasis: ({ disagreementCount }) => (disagreementCount > 0 ? "doubtful" : "plain"),
  },
  { heading: "REFUTED", align: "right", text: ({ refutedCount }) => formatCount(refutedCount) },
  { heading: "LOST", align: "right", text: ({ lostCount }) => formatCount(lostCount) },
];

/** What is shared, and one row per other replica; no line is wider than `width` columns. */
export function renderFleet(fleet: FleetMetrics | undefined, width: number, paint: Paint): string[] {
  if (fleet === undefined || fleet.sharingState === SharingState.ALONE) {
    return ["sharing: alone, as configured"];
  }
  const refusedCount = fleet.refused.reduce((sum, { count }) => sum + count, 0n);
  const lines = [
    `sharing: ${nameEnumValue(SharingStateSchema, fleet.sharingState).replaceAll("_", "-")}`,
    `messages: ${formatCount(fleet.receivedCount)} received, ${formatCount(fleet.sentCount)} sent`,
    `          ${formatCount(refusedCount)} refused, ${formatCount(fleet.droppedCount)} dropped`,
    ...renderBus(fleet.bus),
  ];
  if (fleet.replicas.length === 0) return [...lines, "no other replica was heard"];
  return [...lines, "", ...renderTable(COLUMNS, fleet.replicas, width, paint)];
}

function renderBus(bus: BusMetrics | undefined): string[] {
  if (bus === undefined) return [];
  const droppedCount = bus.drops.reduce((sum, { count }) => sum + count, 0n);
  return [
    `bus: ${formatCount(bus.connectionCount)} connections, ${formatCount(bus.failureCount)} failures`,
    `     ${formatCount(bus.waitingCount)} waiting, ${formatCount(droppedCount)} dropped`,
  ];
}

function describeState({ live, muted, draining }: ReplicaMetrics): string {
  if (!live) return "silent";
  if (muted) return "muted";
  return draining ? "draining" : "live";
}

function judgeState(replica: ReplicaMetrics): Emphasis {
  if (!replica.live) return "bad";
  return replica.muted || replica.draining ? "doubtful" : "good";
}
