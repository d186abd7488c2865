/** A snapshot in the contract's words; reads and never computes. */

import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  AttemptMetricsSchema,
  BreakerState as BreakerStateEnum,
  DeploymentMetricsSchema,
  EvidenceSummarySchema,
  FallbackEventSchema,
  LatencySummarySchema,
  type MetricsSnapshot as MetricsSnapshotMessage,
  MetricsSnapshotSchema,
  type ModelMetrics as ModelMetricsMessage,
  ModelMetricsSchema,
  OutcomeCountSchema,
  RequestMetricsSchema,
  ScopeMetricsSchema,
} from "../../gen/sluice/v1/metrics_pb.ts";
import type {
  AttemptMetrics,
  BreakerState,
  DeploymentMetrics,
  EvidenceSummary,
  LatencySummary,
  MetricsSnapshot,
  ModelMetrics,
  ScopeMetrics,
} from "../domain/metrics.ts";
import { encodeDuration, encodeOutcome, encodeUsage } from "./encode-attempt.ts";
import { encodeFleet } from "./encode-fleet.ts";

const BREAKER_STATES: Readonly<Record<BreakerState, BreakerStateEnum>> = {
  closed: BreakerStateEnum.CLOSED,
  open: BreakerStateEnum.OPEN,
  half_open: BreakerStateEnum.HALF_OPEN,
};

/** Translates a snapshot. */
export function encodeMetrics(snapshot: MetricsSnapshot): MetricsSnapshotMessage {
  const { requests } = snapshot;
  return create(MetricsSnapshotSchema, {
    snapshotTime: timestampFromMs(snapshot.wallMs),
    replicaId: snapshot.replicaId,
    uptimeDuration: encodeDuration(snapshot.uptimeMs),
    requests: create(RequestMetricsSchema, {
      startedCount: BigInt(requests.startedCount),
      succeededCount: BigInt(requests.succeededCount),
      failedCount: BigInt(requests.failedCount),
      cancelledCount: BigInt(requests.cancelledCount),
      inFlightCount: requests.inFlightCount,
      fallbackCount: BigInt(requests.fallbackCount),
    }),
    models: snapshot.models.map(encodeModelMetrics),
    scopes: snapshot.scopes.map(encodeScope),
    ...(snapshot.fleet === undefined ? {} : { fleet: encodeFleet(snapshot.fleet) }),
  });
}

/** One model: the roll-up of its deployments, and each of them. */
export function encodeModelMetrics({ model, total, deployments }: ModelMetrics): ModelMetricsMessage {
  return create(ModelMetricsSchema, {
    model: model.name,
    total: encodeAttempts(total),
    deployments: deployments.map(encodeDeployment),
  });
}

function encodeScope(metrics: ScopeMetrics) {
  return create(ScopeMetricsSchema, {
    scope: metrics.scope,
    requestCount: BigInt(metrics.totalRequestCount),
    succeededCount: BigInt(metrics.successfulRequestCount),
    healthyDeploymentCount: metrics.healthyInstanceCount,
    deploymentCount: metrics.totalInstanceCount,
    fallbackCount: BigInt(metrics.fallbackCount),
    recentFallbacks: metrics.fallbacks.toReversed().map(({ from, to, outcome, atWallMs }) =>
      create(FallbackEventSchema, {
        eventTime: timestampFromMs(atWallMs),
        fromDeployment: from,
        toDeployment: to,
        outcome: encodeOutcome(outcome),
      }),
    ),
  });
}

function encodeEvidence(evidence: EvidenceSummary) {
  const { cooldownMs, credentialDisabledMs } = evidence;
  return create(EvidenceSummarySchema, {
    successRatio: evidence.successRatio,
    timeToFirstTokenDuration: encodeDuration(evidence.timeToFirstTokenMs),
    timePerOutputTokenDuration: encodeDuration(evidence.timePerOutputTokenMs),
    headroomRatio: evidence.headroomRatio,
    admittedRatio: evidence.admittedRatio,
    ...(cooldownMs === undefined ? {} : { cooldownDelay: encodeDuration(cooldownMs) }),
    ...(credentialDisabledMs === undefined
      ? {}
      : { credentialDisabledDelay: encodeDuration(credentialDisabledMs) }),
  });
}

function encodeDeployment(metrics: DeploymentMetrics) {
  const { deployment, nextProbeDelayMs } = metrics;
  return create(DeploymentMetricsSchema, {
    deployment: deployment.id,
    provider: deployment.provider,
    upstreamModel: deployment.upstreamModel,
    simulated: deployment.simulated,
    breakerState: BREAKER_STATES[metrics.breakerState],
    consecutiveFailureCount: metrics.consecutiveFailureCount,
    attempts: encodeAttempts(metrics.attempts),
    waitingCount: metrics.waitingCount,
    healthScore: metrics.healthScore,
    evidence: encodeEvidence(metrics.evidence),
    ...(nextProbeDelayMs === undefined ? {} : { nextProbeDelay: encodeDuration(nextProbeDelayMs) }),
  });
}

function encodeAttempts(metrics: AttemptMetrics) {
  const { successRatio, totalLatency, timeToFirstToken } = metrics;
  return create(AttemptMetricsSchema, {
    startedCount: BigInt(metrics.startedCount),
    inFlightCount: metrics.inFlightCount,
    outcomes: [...metrics.outcomeCounts].map(([outcome, count]) =>
      create(OutcomeCountSchema, { outcome: encodeOutcome(outcome), count: BigInt(count) }),
    ),
    usage: encodeUsage(metrics.usage),
    ...(successRatio === undefined ? {} : { successRatio }),
    ...(totalLatency === undefined ? {} : { totalLatency: encodeLatency(totalLatency) }),
    ...(timeToFirstToken === undefined ? {} : { timeToFirstToken: encodeLatency(timeToFirstToken) }),
  });
}

function encodeLatency(summary: LatencySummary) {
  return create(LatencySummarySchema, {
    sampleCount: BigInt(summary.sampleCount),
    meanDuration: encodeDuration(summary.meanMs),
    p50Duration: encodeDuration(summary.p50Ms),
    p95Duration: encodeDuration(summary.p95Ms),
    p99Duration: encodeDuration(summary.p99Ms),
  });
}
