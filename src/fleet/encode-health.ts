/** Evidence in protobuf. */

import { toBinary } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import {
  type BreakerEpisode,
  BreakerEpisodeSchema,
  type CredentialRegister as CredentialRegisterMessage,
  CredentialRegisterSchema,
  type DeploymentEvidence,
  DeploymentEvidenceSchema,
  type EvidenceBucket,
  EvidenceBucketSchema,
  type EvidenceReport as EvidenceReportMessage,
  EvidenceReportSchema,
  HealthMessageSchema,
  type QuotaReading as QuotaReadingMessage,
  QuotaReadingSchema,
  type QuotaRegister,
  QuotaRegisterSchema,
  type Register as RegisterMessage,
  RegisterSchema,
  type ReplicaHeader as ReplicaHeaderMessage,
  ReplicaHeaderSchema,
  SnapshotRequestSchema,
  SnapshotSchema,
  type TimedRegister as TimedRegisterMessage,
  TimedRegisterSchema,
} from "../../gen/sluice/v1/events_pb.ts";
import { BreakerState as BreakerStateEnum } from "../../gen/sluice/v1/metrics_pb.ts";
import { COARSE_BUCKET_MS, COUNTER_FIELDS, FINE_BUCKET_MS } from "../core/evidence/bucket-series.ts";
import { boundCounter } from "../core/evidence/check-series.ts";
import { MAX_PROBE_DELAY_MS, type PeerBreaker } from "../core/evidence/peer-breaker.ts";
import type { Register } from "../core/evidence/register.ts";
import type {
  CredentialRegister,
  QuotaHeadersRegister,
  TimedRegister,
} from "../core/evidence/replica-registers.ts";
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
  return toBinary(HealthMessageSchema, {
    $typeName: HealthMessageSchema.typeName,
    header: encodeHeader(header),
    content: { case: kind, value: encodeReport(report) },
  });
}

/** A question for what the others know. */
export function encodeSnapshotRequest(header: ReplicaHeader): Uint8Array {
  return toBinary(SnapshotRequestSchema, {
    $typeName: SnapshotRequestSchema.typeName,
    header: encodeHeader(header),
  });
}

/** The answer to it. */
export function encodeSnapshot(header: ReplicaHeader, report: EvidenceReport): Uint8Array {
  return toBinary(SnapshotSchema, {
    $typeName: SnapshotSchema.typeName,
    header: encodeHeader(header),
    report: encodeReport(report),
  });
}

/** The bytes that one deployment takes in a report. */
export function measureDeployment(report: DeploymentReport): number {
  return toBinary(DeploymentEvidenceSchema, encodeDeployment(report)).length + 4;
}

/** The bytes that one credential takes in a report. */
export function measureCredential(credential: CredentialRegister): number {
  return toBinary(CredentialRegisterSchema, encodeCredential(credential)).length + 4;
}

/** No fewer than a report takes, without encoding it. */
export function boundReportBytes({ deployments, credentials }: EvidenceReport): number {
  let bytes = 0;
  for (const deployment of deployments) bytes += boundDeploymentBytes(deployment);
  for (const { provider, disabled } of credentials) {
    bytes +=
      MAX_FIXED_BYTES + MAX_UTF8_BYTES_PER_UNIT * (provider.length + disabled.register.replicaId.length);
  }
  return bytes;
}

/** No fewer than `measureDeployment` says, without encoding it. */
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

// Messages are written out from here on, because `create` costs more than all else and deltas go out all the time.

function encodeHeader(header: ReplicaHeader): ReplicaHeaderMessage {
  return {
    $typeName: ReplicaHeaderSchema.typeName,
    replicaId: header.replicaId,
    incarnation: BigInt(header.incarnation),
    sequence: BigInt(header.sequence),
    sentMonoMs: BigInt(header.sentMs),
    version: header.version,
    uptimeDuration: {
      $typeName: DurationSchema.typeName,
      seconds: BigInt(Math.floor(header.uptimeMs / 1_000)),
      nanos: 0,
    },
    draining: header.draining,
  };
}

function encodeReport({ deployments, credentials }: EvidenceReport): EvidenceReportMessage {
  return {
    $typeName: EvidenceReportSchema.typeName,
    deployments: deployments.map(encodeDeployment),
    credentials: credentials.map(encodeCredential),
  };
}

function encodeCredential({ provider, disabled }: CredentialRegister): CredentialRegisterMessage {
  return { $typeName: CredentialRegisterSchema.typeName, provider, disabled: encodeTimed(disabled) };
}

function encodeDeployment(report: DeploymentReport): DeploymentEvidence {
  const { breaker, registers } = report;
  return {
    $typeName: DeploymentEvidenceSchema.typeName,
    deployment: report.deploymentId,
    fineBuckets: report.series.fine.map((bucket) => encodeBucket(bucket, FINE_BUCKET_MS)),
    coarseBuckets: report.series.coarse.map((bucket) => encodeBucket(bucket, COARSE_BUCKET_MS)),
    inFlightCount: report.inFlightCount,
    healthScore: report.healthScore,
    breaker: breaker && encodeBreaker(breaker),
    cooldown: registers.cooldown && encodeTimed(registers.cooldown),
    quota: registers.quota && encodeQuota(registers.quota),
  };
}

/** Within what receivers take: one counter beyond it, and they refuse the whole message. */
function encodeBucket({ index, values }: TimeBucket, bucketMs: number): EvidenceBucket {
  const read = (field: number) => Math.min(boundCounter(field, values[field] ?? 0, bucketMs), MAX_UINT32);
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

function encodeBreaker({ state, epoch, closedMs, probeDelayMs }: PeerBreaker): BreakerEpisode {
  return {
    $typeName: BreakerEpisodeSchema.typeName,
    state: BREAKER_STATES[state],
    epoch,
    closedMonoMs: BigInt(Math.floor(closedMs)),
    probeDelayMs: Math.min(probeDelayMs, MAX_PROBE_DELAY_MS),
  };
}

function encodeRegister({ epoch, value, replicaId }: Register): RegisterMessage {
  return { $typeName: RegisterSchema.typeName, epoch, value: BigInt(value), replicaId };
}

function encodeTimed({ register, remainingMs }: TimedRegister): TimedRegisterMessage {
  return { $typeName: TimedRegisterSchema.typeName, register: encodeRegister(register), remainingMs };
}

function encodeQuota({ register, ageMs, headers }: QuotaHeadersRegister): QuotaRegister {
  const { requests, tokens } = headers;
  return {
    $typeName: QuotaRegisterSchema.typeName,
    register: encodeRegister(register),
    ageMs,
    requests: requests && encodeReading(requests),
    tokens: tokens && encodeReading(tokens),
  };
}

function encodeReading({ limit, remaining, resetMs }: QuotaReading): QuotaReadingMessage {
  return { $typeName: QuotaReadingSchema.typeName, limit, remaining, resetMs };
}
