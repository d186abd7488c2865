/** A metrics snapshot as lines for the terminal. */

import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Outcome } from "../../gen/sluice/v1/generation_pb.ts";
import {
  type AttemptMetrics,
  BreakerState,
  BreakerStateSchema,
  type DeploymentMetrics,
  type LatencySummary,
  type MetricsSnapshot,
} from "../../gen/sluice/v1/metrics_pb.ts";
import { nameEnumValue } from "./answer-summary.ts";
import type { Emphasis, Paint } from "./colour.ts";
import { renderFleet } from "./fleet-table.ts";
import { formatCost, formatCount, formatDuration, formatRatio, UNKNOWN } from "./number-text.ts";
import { printable } from "./printable-text.ts";
import { renderScopes } from "./scopes-table.ts";
import { type Column, renderTable } from "./text-table.ts";

interface Row {
  readonly model: string;
  readonly deployment: DeploymentMetrics;
}

/** Outcomes that are neither a success nor anybody's failure. */
const NEUTRAL_OUTCOMES: readonly Outcome[] = [
  Outcome.SUCCESS,
  Outcome.CANCELLED,
  Outcome.SUPERSEDED,
  Outcome.LOCAL,
];

const BREAKER_EMPHASES: Readonly<Record<number, Emphasis>> = {
  [BreakerState.CLOSED]: "good",
  [BreakerState.HALF_OPEN]: "doubtful",
  [BreakerState.OPEN]: "bad",
};

const COLUMNS: readonly Column<Row>[] = [
  { heading: "DEPLOYMENT", text: ({ deployment }) => deployment.deployment },
  { heading: "MODEL", text: ({ model }) => model },
  {
    heading: "BREAKER",
    text: ({ deployment }) => describeBreaker(deployment),
    emphasis: ({ deployment }) => BREAKER_EMPHASES[deployment.breakerState] ?? "plain",
  },
  {
    heading: "HEALTH",
    align: "right",
    text: ({ deployment }) =>
      deployment.evidence === undefined ? UNKNOWN : deployment.healthScore.toFixed(2),
  },
  {
    heading: "HEADROOM",
    align: "right",
    text: ({ deployment }) => formatRatio(deployment.evidence?.headroomRatio),
  },
  {
    heading: "PAUSE",
    text: describePause,
    emphasis: ({ deployment }) => (describePause({ deployment }) === UNKNOWN ? "plain" : "doubtful"),
  },
  numberColumn("IN FLIGHT", (attempts) => formatCount(attempts.inFlightCount)),
  { heading: "WAITING", align: "right", text: ({ deployment }) => formatCount(deployment.waitingCount) },
  numberColumn("OK/FAILED", (attempts) => {
    const ok = countOutcomes(attempts, (outcome) => outcome === Outcome.SUCCESS);
    const failed = countOutcomes(attempts, (outcome) => !NEUTRAL_OUTCOMES.includes(outcome));
    return `${formatCount(ok)}/${formatCount(failed)}`;
  }),
  numberColumn("SUCCESS", (attempts) => formatRatio(attempts.successRatio)),
  numberColumn("TTFT P50/P95", (attempts) => formatLatency(attempts.timeToFirstToken)),
  numberColumn("LATENCY P50/P95", (attempts) => formatLatency(attempts.totalLatency)),
  numberColumn("TOKENS IN/OUT", ({ usage }) =>
    [usage?.inputTokenCount, usage?.outputTokenCount].map(formatCount).join("/"),
  ),
  numberColumn("COST", ({ usage }) => formatCost(usage)),
];

/** Renders the snapshot: a line about the replica, then one row per deployment; no line is wider than `width` columns. */
export function renderMetrics(snapshot: MetricsSnapshot, width: number, paint: Paint): string[] {
  const rows = snapshot.models.flatMap(({ model, deployments }) =>
    deployments.map((deployment) => ({ model, deployment })),
  );
  return [...renderReplica(snapshot), "", ...renderTable(COLUMNS, rows, width, paint)];
}

/** The same with one row per scope in place of the deployments. */
export function renderScopeMetrics(snapshot: MetricsSnapshot, width: number, paint: Paint): string[] {
  return [...renderReplica(snapshot), "", ...renderScopes(snapshot.scopes, width, paint)];
}

/** The same with one row per other replica in place of the deployments. */
export function renderFleetMetrics(snapshot: MetricsSnapshot, width: number, paint: Paint): string[] {
  return [...renderReplica(snapshot), ...renderFleet(snapshot.fleet, width, paint)];
}

function renderReplica({ snapshotTime, replicaId, uptimeDuration, requests }: MetricsSnapshot): string[] {
  const time = snapshotTime === undefined ? "" : ` at ${timestampDate(snapshotTime).toISOString()}`;
  return [
    `replica ${printable(replicaId)}`,
    `up ${formatDuration(uptimeDuration)}${time}`,
    `requests: ${formatCount(requests?.inFlightCount)} in flight, ${formatCount(requests?.succeededCount)} ok, ${formatCount(requests?.failedCount)} failed`,
    `          ${formatCount(requests?.cancelledCount)} cancelled, ${formatCount(requests?.fallbackCount)} by fallback`,
  ];
}

function numberColumn(heading: string, text: (attempts: AttemptMetrics) => string): Column<Row> {
  return {
    heading,
    align: "right",
    text: ({ deployment }) => (deployment.attempts === undefined ? "-" : text(deployment.attempts)),
  };
}

function describeBreaker({ breakerState, nextProbeDelay }: DeploymentMetrics): string {
  const state = nameEnumValue(BreakerStateSchema, breakerState).replaceAll("_", "-");
  return nextProbeDelay === undefined ? state : `${state} ${formatDuration(nextProbeDelay)}`;
}

/** Why it is left alone beside its breaker, and for how long. */
function describePause({ deployment: { evidence } }: Pick<Row, "deployment">): string {
  if (evidence?.credentialDisabledDelay !== undefined) {
    return `credential ${formatDuration(evidence.credentialDisabledDelay)}`;
  }
  if (evidence?.cooldownDelay !== undefined) return `cooldown ${formatDuration(evidence.cooldownDelay)}`;
  if (evidence !== undefined && evidence.admittedRatio < 1)
    return `ramp ${formatRatio(evidence.admittedRatio)}`;
  return UNKNOWN;
}

function countOutcomes({ outcomes }: AttemptMetrics, counts: (outcome: Outcome) => boolean): bigint {
  return outcomes.reduce((sum, { outcome, count }) => (counts(outcome) ? sum + count : sum), 0n);
}

function formatLatency(summary: LatencySummary | undefined): string {
  return `${formatDuration(summary?.p50Duration)}/${formatDuration(summary?.p95Duration)}`;
}
