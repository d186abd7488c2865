/** Evidence in protobuf. */

import { create, toBinary } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import {
  BreakerEpisodeSchema,
  CredentialRegisterSchema,
  type DeploymentEvidence,
  DeploymentEvidenceSchema,
  type EvidenceBucket,
  EvidenceBucketSchema,
  type EvidenceReport as EvidenceReportMessage,
  EvidenceReportSchema,
  HealthMessageSchema,
  QuotaReadingSchema,
  QuotaRegisterSchema,
  RegisterSchema,
  ReplicaHeaderSchema,
  SnapshotRequestSchema,
  SnapshotSchema,
  type TimedRegister as TimedRegisterMessage,
  TimedRegisterSchema,
} from "../../gen/sluice/v1/events_pb.ts";
import { BreakerState as BreakerStateEnum } from "../../gen/sluice/v1/metrics_pb.ts";
import { COUNTER_FIELDS } from "../core/evidence/bucket-series.ts";
import { MAX_PROBE_DELAY_MS, type PeerBreaker } from "../core/evidence/peer-breaker.ts";
import type { Register } from "../core/evidence/register.ts";
import type { QuotaHeadersRegister, TimedRegister } from "../core/evidence/replica-registers.ts";
import type { TimeBucket } from "../core/evidence/time-ring.ts";
import type { BreakerState } from "../domain/metrics.ts";
import type { QuotaReading } from "../domain/quota.ts";
import type { DeploymentReport, EvidenceReport, ReplicaHeader, ReportKind } from "./health-message.ts";

const MAX_UINT32 = 2 ** 32 - 1;

/** A bucket's tag and length, its index and seven counters (5 bytes at most), with a tag for each. */
const MAX_BUCKET_BYTES = 2 + 8 * 6;
/** All other fields of a deployment but its texts; numbers take at most 10 bytes and there are fewer than 30 of them. */
const MAX_FIXED_BYTES = 30 * 12;
const MAX_UTF8_BYTES_PER_UNIT = 3;

const BREAKER_STATES: Readonly<Record<BreakerState, BreakerStateEnum>> = {
  closed: BreakerStateEnum.CLOSED,
  open: BreakerStateEnum.OPEN,
  half_open: BreakerStateEnum.HALF_OPEN,
};

/** The contract's word for a state of a breaker. */
export function encodeBreakerState(state: BreakerState): BreakerStateEnum {
  return BREAKER_STATES[state];
}

/** A message of evidence. */
export function encodeHealthMessage(
  header: ReplicaHeader,
  kind: ReportKind,
  report: EvidenceReport,
): Uint8Array {
  const content = { case: kind, value: encodeReport(report) };
  return toBinary(
    HealthMessageSchema,
    create(HealthMessageSchema, { header: encodeHeader(header), content }),
  );
}

/** A question for what the others know. */
export function encodeSnapshotRequest(header: ReplicaHeader): Uint8Array {
  const message = create(SnapshotRequestSchema, { header: encodeHeader(header) });
  return toBinary(SnapshotRequestSchema, message);
}

/** The answer to it. */
export function encodeSnapshot(header: ReplicaHeader, report: EvidenceReport): Uint8Array {
  const message = create(SnapshotSchema, { header: encodeHeader(header), report: encodeReport(report) });
  return toBinary(SnapshotSchema, message);
}

/** The bytes that one deployment takes in a report. */
export function measureDeployment(report: DeploymentReport): number {
  return toBinary(DeploymentEvidenceSchema, encodeDeployment(report)).length + 4;
}

/** No fewer than that, without encoding it. */
export function boundDeploymentBytes({ deploymentId, series, registers }: DeploymentReport): number {
  const { cooldown, quota } = registers;
  const writerLength = (cooldown?.register.replicaId.length ?? 0) + (quota?.register.replicaId.length ?? 0);
  const bucketCount = series.fine.length + series.coarse.length;
  return (
    MAX_FIXED_BYTES +
    MAX_UTF8_BYTES_PER_UNIT * (deploymentId.length + writerLength) +
    MAX_BUCKET_BYTES * bucketCount
  );
}

function encodeHeader(header: ReplicaHeader) {
  return create(ReplicaHeaderSchema, {
    replicaId: header.replicaId,
    incarnation: BigInt(header.incarnation),
    sequence: BigInt(header.sequence),
    sentMonoMs: BigInt(header.sentMs),
    version: header.version,
    uptimeDuration: create(DurationSchema, { seconds: BigInt(Math.floor(header.uptimeMs / 1_000)) }),
    draining: header.draining,
  });
}

function encodeReport({ deployments, credentials }: EvidenceReport): EvidenceReportMessage {
  return create(EvidenceReportSchema, {
    deployments: deployments.map(encodeDeployment),
    credentials: credentials.map(({ provider, disabled }) =>
      create(CredentialRegisterSchema, { provider, disabled: encodeTimed(disabled) }),
    ),
  });
}

function encodeDeployment(report: DeploymentReport): DeploymentEvidence {
  const { breaker, registers } = report;
  return create(DeploymentEvidenceSchema, {
    deployment: report.deploymentId,
    fineBuckets: report.series.fine.map(encodeBucket),
    coarseBuckets: report.series.coarse.map(encodeBucket),
    inFlightCount: report.inFlightCount,
    healthScore: report.healthScore,
    ...(breaker === undefined ? {} : { breaker: encodeBreaker(breaker) }),
    ...(registers.cooldown === undefined ? {} : { cooldown: encodeTimed(registers.cooldown) }),
    ...(registers.quota === undefined ? {} : { quota: encodeQuota(registers.quota) }),
  });
}

function encodeBucket({ index, values }: TimeBucket): EvidenceBucket {
  const read = (field: number) => Math.min(values[field] ?? 0, MAX_UINT32);
  // Written out, because `create` costs more than all else here and there are many of these.
  return {
    $typeName: EvidenceBucketSchema.typeName,
    index,
    startedCount: read(COUNTER_FIELDS.started),
    okCount: read(COUNTER_FIELDS.ok),
    hardFailureCount: read(COUNTER_FIELDS.hard),
    weakFailureCount: read(COUNTER_FIELDS.weak),
    limitedCount: read(COUNTER_FIELDS.limited),
    reservedTokens: read(COUNTER_FIELDS.reservedTokens),
    settledTokens: read(COUNTER_FIELDS.settledTokens),
  };
}

function encodeBreaker({ state, epoch, closedMs, probeDelayMs }: PeerBreaker) {
  return create(BreakerEpisodeSchema, {
    state: BREAKER_STATES[state],
    epoch,
    closedMonoMs: BigInt(Math.floor(closedMs)),
    probeDelayMs: Math.min(probeDelayMs, MAX_PROBE_DELAY_MS),
  });
}

function encodeRegister({ epoch, value, replicaId }: Register) {
  return create(RegisterSchema, { epoch, value: BigInt(value), replicaId });
}

function encodeTimed({ register, remainingMs }: TimedRegister): TimedRegisterMessage {
  return create(TimedRegisterSchema, { register: encodeRegister(register), remainingMs });
}

function encodeQuota({ register, ageMs, headers }: QuotaHeadersRegister) {
  const { requests, tokens } = headers;
  return create(QuotaRegisterSchema, {
    register: encodeRegister(register),
    ageMs,
    ...(requests === undefined ? {} : { requests: encodeReading(requests) }),
    ...(tokens === undefined ? {} : { tokens: encodeReading(tokens) }),
  });
}

function encodeReading({ limit, remaining, resetMs }: QuotaReading) {
  return create(QuotaReadingSchema, { limit, remaining, resetMs });
}
