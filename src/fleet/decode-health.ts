/** Evidence out of protobuf. Whatever the bytes are, the outcome is a valid message or a refusal. */

import { fromBinary } from "@bufbuild/protobuf";
import {
  type BreakerEpisode,
  type DeploymentEvidence,
  type EvidenceBucket,
  type EvidenceReport as EvidenceReportMessage,
  HealthMessageSchema,
  type QuotaReading as QuotaReadingMessage,
  type QuotaRegister,
  type Register as RegisterMessage,
  type ReplicaHeader as ReplicaHeaderMessage,
  SnapshotRequestSchema,
  SnapshotSchema,
  type TimedRegister as TimedRegisterMessage,
} from "../../gen/sluice/v1/events_pb.ts";
import { BreakerState as BreakerStateEnum } from "../../gen/sluice/v1/metrics_pb.ts";
import { COUNTERS } from "../core/evidence/bucket-series.ts";
import type { PeerBreaker } from "../core/evidence/peer-breaker.ts";
import type { Register } from "../core/evidence/register.ts";
import { findEvidenceProblem } from "../core/evidence/replica-evidence.ts";
import type {
  CredentialRegister,
  QuotaHeadersRegister,
  TimedRegister,
} from "../core/evidence/replica-registers.ts";
import type { TimeBucket } from "../core/evidence/time-ring.ts";
import type { RefusalReason } from "../domain/fleet-metrics.ts";
import type { BreakerState } from "../domain/metrics.ts";
import type { QuotaReading } from "../domain/quota.ts";
import type { DeploymentReport, EvidenceReport, HealthMessage, ReplicaHeader } from "./health-message.ts";

/** Senders stay below it; nothing longer is looked at. */
export const MAX_MESSAGE_BYTES = 16 * 1024;
/** Answers hold everything in one message. */
export const MAX_SNAPSHOT_BYTES = 512 * 1024;
const MAX_DEPLOYMENT_COUNT = 2_000;
/** A provider's name, a slash, and its name of a model make at most 265. */
const MAX_ID_LENGTH = 320;
const MAX_VERSION_LENGTH = 64;
/** A hundred years: what is longer cannot be told on in the JSON of Metrics. */
const MAX_UPTIME_S = 3_155_760_000;
const MAX_REGISTER_AGE_MS = 86_400_000;
const MAX_QUOTA = 1e12;

const EMPTY: EvidenceReport = { deployments: [], credentials: [] };

/** A message, or why it is refused. */
export type Decoded<T> = { readonly message: T } | { readonly refused: RefusalReason };

/** What lies outside of its bounds. */
class OutOfBounds extends Error {}

/** Reads a message that came on the subject of `sender`. */
export function decodeHealthMessage(bytes: Uint8Array, sender: string): Decoded<HealthMessage> {
  return decode(bytes, MAX_MESSAGE_BYTES, sender, () => {
    const { header, content } = fromBinary(HealthMessageSchema, bytes);
    const speaker = readHeader(header);
    if (content.case === undefined) return { header: speaker, kind: "unknown", report: EMPTY };
    return { header: speaker, kind: content.case, report: readReport(content.value, speaker) };
  });
}

/** Reads the question of a replica that has joined. */
export function decodeSnapshotRequest(bytes: Uint8Array): Decoded<{ readonly header: ReplicaHeader }> {
  return decode(bytes, MAX_MESSAGE_BYTES, undefined, () => ({
    header: readHeader(fromBinary(SnapshotRequestSchema, bytes).header),
  }));
}

/** Reads the answer to it. */
export function decodeSnapshot(bytes: Uint8Array): Decoded<HealthMessage> {
  return decode(bytes, MAX_SNAPSHOT_BYTES, undefined, () => {
    const { header, report } = fromBinary(SnapshotSchema, bytes);
    const speaker = readHeader(header);
    return {
      header: speaker,
      kind: "snapshot",
      report: report === undefined ? EMPTY : readReport(report, speaker),
    };
  });
}

function decode<T extends { readonly header: ReplicaHeader }>(
  bytes: Uint8Array,
  maxBytes: number,
  sender: string | undefined,
  read: () => T,
): Decoded<T> {
  if (bytes.length > maxBytes) return { refused: "too_large" };
  try {
    const message = read();
    if (sender !== undefined && message.header.replicaId !== sender) return { refused: "wrong_sender" };
    return { message };
  } catch {
    // Protobuf throws for what is no protobuf, and we for what lies outside of its bounds.
    return { refused: "invalid" };
  }
}

function check(holds: boolean): void {
  if (!holds) throw new OutOfBounds();
}

function readCount(value: bigint): number {
  check(value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER));
  return Number(value);
}

function readText(text: string, maxLength: number): string {
  check(text.length <= maxLength);
  return text;
}

function readHeader(header: ReplicaHeaderMessage | undefined): ReplicaHeader {
  if (header === undefined) throw new OutOfBounds();
  check(header.replicaId.length >= 1 && header.replicaId.length <= 128);
  const uptimeS = readCount(header.uptimeDuration?.seconds ?? 0n);
  check(uptimeS <= MAX_UPTIME_S);
  return {
    replicaId: header.replicaId,
    incarnation: readCount(header.incarnation),
    sequence: readCount(header.sequence),
    sentMs: readCount(header.sentMonoMs),
    version: readText(header.version, MAX_VERSION_LENGTH),
    uptimeMs: uptimeS * 1_000,
    draining: header.draining,
  };
}

function readReport(report: EvidenceReportMessage, header: ReplicaHeader): EvidenceReport {
  const { deployments, credentials } = report;
  check(deployments.length <= MAX_DEPLOYMENT_COUNT && credentials.length <= MAX_DEPLOYMENT_COUNT);
  const ids = new Set(deployments.map(({ deployment }) => deployment));
  const providers = new Set(credentials.map(({ provider }) => provider));
  check(ids.size === deployments.length && providers.size === credentials.length);
  return {
    deployments: deployments.map((deployment) => readDeployment(deployment, header)),
    credentials: credentials.map(({ provider, disabled }): CredentialRegister => {
      if (disabled === undefined) throw new OutOfBounds();
      return { provider: readText(provider, MAX_ID_LENGTH), disabled: readTimed(disabled) };
    }),
  };
}

function readDeployment(message: DeploymentEvidence, header: ReplicaHeader): DeploymentReport {
  const report = {
    deploymentId: readText(message.deployment, MAX_ID_LENGTH),
    inFlightCount: message.inFlightCount,
    series: { fine: message.fineBuckets.map(readBucket), coarse: message.coarseBuckets.map(readBucket) },
    breaker: message.breaker && readBreaker(message.breaker),
  };
  check(findEvidenceProblem({ ...header, ...report }) === undefined);
  check(message.healthScore >= 0 && message.healthScore <= 1);
  return {
    ...report,
    healthScore: message.healthScore,
    registers: {
      ...(message.cooldown === undefined ? {} : { cooldown: readTimed(message.cooldown) }),
      ...(message.quota === undefined ? {} : { quota: readQuota(message.quota) }),
    },
  };
}

/** In the order of `COUNTERS`. */
function readBucket(bucket: EvidenceBucket): TimeBucket {
  const values: Readonly<Record<(typeof COUNTERS)[number], number>> = {
    started: bucket.startedCount,
    ok: bucket.okCount,
    hard: bucket.hardFailureCount,
    weak: bucket.weakFailureCount,
    limited: bucket.limitedCount,
    reservedTokens: bucket.reservedTokens,
    settledTokens: bucket.settledTokens,
  };
  return { index: bucket.index, values: COUNTERS.map((counter) => values[counter]) };
}

/** A state that this version does not know says nothing. */
function readBreaker(episode: BreakerEpisode): PeerBreaker | undefined {
  const state = readBreakerState(episode.state);
  if (state === undefined) return undefined;
  return {
    state,
    epoch: episode.epoch,
    closedMs: readCount(episode.closedMonoMs),
    probeDelayMs: episode.probeDelayMs,
  };
}

function readBreakerState(state: BreakerStateEnum): BreakerState | undefined {
  if (state === BreakerStateEnum.CLOSED) return "closed";
  if (state === BreakerStateEnum.OPEN) return "open";
  return state === BreakerStateEnum.HALF_OPEN ? "half_open" : undefined;
}

function readRegister(register: RegisterMessage | undefined): Register {
  if (register === undefined) throw new OutOfBounds();
  check(register.replicaId.length >= 1 && register.replicaId.length <= 128);
  return { epoch: register.epoch, value: readCount(register.value), replicaId: register.replicaId };
}

function readTimed({ register, remainingMs }: TimedRegisterMessage): TimedRegister {
  check(remainingMs <= MAX_REGISTER_AGE_MS);
  return { register: readRegister(register), remainingMs };
}

function readQuota({ register, ageMs, requests, tokens }: QuotaRegister): QuotaHeadersRegister {
  check(ageMs <= MAX_REGISTER_AGE_MS);
  return {
    register: readRegister(register),
    ageMs,
    headers: {
      ...(requests === undefined ? {} : { requests: readReading(requests) }),
      ...(tokens === undefined ? {} : { tokens: readReading(tokens) }),
    },
  };
}

function readReading({ limit, remaining, resetMs }: QuotaReadingMessage): QuotaReading {
  check(limit > 0 && limit <= MAX_QUOTA && remaining >= 0 && remaining <= limit);
  check(resetMs >= 0 && resetMs <= MAX_REGISTER_AGE_MS);
  return { limit, remaining, resetMs };
}
