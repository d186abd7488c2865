import type { Deployment } from "../domain/deployment.ts";
import type { BusMessage, HealthBus } from "../domain/health-bus.ts";
import type { Cleanup, Random } from "../domain/ports.ts";
import { TokenBucket } from "../lib/token-bucket.ts";
import {
  boundReportBytes,
  encodeHealthMessage,
  encodeSnapshot,
  encodeSnapshotRequest,
  measureCredential,
  measureDeployment,
} from "./encode-health.ts";
import { EvidenceInbox, type InboxParts } from "./evidence-inbox.ts";
import type { DeploymentReport, EvidenceReport, ReplicaHeader, ReportKind } from "./health-message.ts";
import { HEALTH_PATTERN, healthSubject, SYNC_SUBJECT } from "./subjects.ts";

const DELTA_MS = 250;
const DIGEST_MS = 10_000;
/** Every interval is drawn anew, give or take this share, so that replicas do not speak in step. */
const SPREAD_RATIO = 0.2;
/** The newest buckets in a delta: the one before the newest too, so that one lost message costs nothing. */
const DELTA_BUCKET_COUNT = 2;
/** A replica that has nothing to say shows that it is alive: three of these fit into the time after which it is not. */
const HEARTBEAT_MS = 1_500;
const MAX_URGENT_PER_S = 20;
/** Below what receivers take in one message (16 KiB), with room for the header. */
const MAX_REPORT_BYTES = 14 * 1024;
/** The answers to a replica that joins; each is of what that one replica has counted. */
const SNAPSHOT_LIMITS = { maxAnswers: 32, timeoutMs: 1_000 } as const;
/** A replica that starts waits this long for a bus and a first answer … */
const MAX_JOIN_MS = 1_000;
/** … and this long for more of them. */
const MORE_ANSWERS_MS = 250;
const MAX_SNAPSHOTS_PER_S = 4;
/** Questions that are read; whoever asks more often than replicas join is not heard. */
const MAX_QUESTIONS_PER_S = 60;
/** After somebody joined or came back everybody sends a digest within this time, unless the last one is younger. */
const JOIN_SPREAD_MS = 1_000;

/** What an exchange needs. */
export interface ExchangeParts extends InboxParts {
  readonly random: Random;
  readonly bus: HealthBus;
  /** The whole catalog. */
  readonly deployments: readonly Deployment[];
  readonly version: string;
}

/**
 * Tells the other replicas what this one has counted and joins what they tell: deltas
 * every 250 ms while something changes, what is urgent at once, digests every 10 s,
 * and a snapshot when it joins. Losing any of these messages costs time, never truth.
 */
export class EvidenceExchange {
  readonly #parts: ExchangeParts;
  readonly #subject: string;
  readonly #inbox: EvidenceInbox;
  readonly #cleanups: Cleanup[];
  readonly #changed = new Set<Deployment>();
  readonly #urgentBudget: TokenBucket;
  readonly #snapshotBudget: TokenBucket;
  readonly #questionBudget: TokenBucket;
  readonly #startedMs: number;
  /** Of the last message of evidence; snapshots say as of which they are. */
  #sequence = 0;
  #sentCount = 0;
  #droppedCount = 0;
  #sentMs: number;
  #digestMs = Number.NEGATIVE_INFINITY;
  #nextDigestMs: number;
  #draining = false;
  #stopTimer: Cleanup = () => {};
  #stopAsking: Cleanup = () => {};
  #hasJoined = false;
  readonly #joined = Promise.withResolvers<void>();
  #stopJoining: Cleanup;
  #isAnswered = false;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    const { bus, clock, replicaId } = parts;
    this.#subject = healthSubject(replicaId);
    const nowMs = clock.nowMs();
    this.#startedMs = nowMs;
    this.#sentMs = nowMs;
    this.#urgentBudget = new TokenBucket(MAX_URGENT_PER_S, MAX_URGENT_PER_S, nowMs);
    this.#snapshotBudget = new TokenBucket(MAX_SNAPSHOTS_PER_S, MAX_SNAPSHOTS_PER_S, nowMs);
    this.#questionBudget = new TokenBucket(MAX_QUESTIONS_PER_S, MAX_QUESTIONS_PER_S, nowMs);
    this.#nextDigestMs = nowMs + this.#spread(DIGEST_MS);
    this.#inbox = new EvidenceInbox(parts);
    this.#stopJoining = clock.timer(MAX_JOIN_MS, () => this.#endJoining());
    this.#cleanups = [
      bus.subscribe(HEALTH_PATTERN, (message) => this.#inbox.take(message)),
      bus.answer(SYNC_SUBJECT, (question) => this.#answer(question)),
      bus.onStateChange(() => this.#followBus()),
    ];
    this.#followBus();
    this.#arm();
  }

  /** Whether it has been told what the others know, or has waited for that long enough: at most 1 s. */
  get hasJoined(): boolean {
    return this.#hasJoined;
  }

  /** Resolves when `hasJoined` becomes true, and on `close`. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  /** What came in. */
  get inbox(): EvidenceInbox {
    return this.#inbox;
  }

  /** Messages of evidence sent since the start. */
  get sentCount(): number {
    return this.#sentCount;
  }

  /** Messages of evidence that could not be sent, or were held back for the next delta. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Something was counted; it goes with the next delta. */
  noteChange(deployment: Deployment): void {
    this.#changed.add(deployment);
  }

  /** Something was counted that the others should know now: it goes at once, unless there is too much of it. */
  noteUrgent(deployment: Deployment): void {
    this.#changed.add(deployment);
    if (this.#urgentBudget.take(this.#parts.clock.nowMs()))
      this.#send("urgent", [deployment], DELTA_BUCKET_COUNT);
    else this.#droppedCount += 1;
  }

  /** Tells the others that this replica is about to stop, with all it knows. */
  announceDraining(): void {
    this.#draining = true;
    this.#send("digest", this.#parts.deployments, undefined);
  }

  /** Stops telling and hearing. The bus stays open. */
  close(): void {
    this.#stopTimer();
    this.#stopAsking();
    this.#endJoining();
    for (const cleanup of this.#cleanups) cleanup();
  }

  #followBus(): void {
    const { bus, clock, evidence } = this.#parts;
    const connected = bus.state === "connected";
    evidence.setConnected(connected);
    // Somebody must change something before anybody can be asked.
    if (bus.state === "refused") this.#endJoining();
    if (!connected) return;
    // Others may have news from the time without them, and we for them.
    this.#hastenDigest(clock.nowMs());
    this.#stopAsking();
    this.#inbox.expectAnswers();
    this.#stopAsking = bus.ask(
      {
        subject: SYNC_SUBJECT,
        type: "sluice.v1.SnapshotRequest",
        payload: encodeSnapshotRequest(this.#makeHeader()),
      },
      SNAPSHOT_LIMITS,
      (answer) => {
        this.#inbox.takeSnapshot(answer);
        this.#noteAnswer();
      },
    );
  }

  #noteAnswer(): void {
    if (this.#isAnswered || this.#hasJoined) return;
    this.#isAnswered = true;
    this.#stopJoining();
    const leftMs = this.#startedMs + MAX_JOIN_MS - this.#parts.clock.nowMs();
    const waitMs = Math.min(MORE_ANSWERS_MS, Math.max(leftMs, 0));
    this.#stopJoining = this.#parts.clock.timer(waitMs, () => this.#endJoining());
  }

  #endJoining(): void {
    this.#stopJoining();
    this.#hasJoined = true;
    this.#joined.resolve();
  }

  #answer(question: BusMessage): BusMessage | undefined {
    const nowMs = this.#parts.clock.nowMs();
    if (this.#draining || !this.#questionBudget.take(nowMs)) return undefined;
    if (!this.#inbox.takeQuestion(question)) return undefined;
    this.#hastenDigest(nowMs);
    if (!this.#snapshotBudget.take(nowMs)) return undefined;
    const report = this.#report(this.#parts.deployments, undefined);
    const payload = encodeSnapshot(this.#makeHeader(), report);
    return { subject: SYNC_SUBJECT, type: "sluice.v1.Snapshot", payload };
  }

  #arm(): void {
    this.#stopTimer = this.#parts.clock.timer(this.#spread(DELTA_MS), () => {
      this.#tick();
      this.#arm();
    });
  }

  #tick(): void {
    const { clock, deployments, bus, evidence } = this.#parts;
    const nowMs = clock.nowMs();
    const connected = bus.state === "connected";
    evidence.setConnected(connected);
    // What cannot be sent is in the digest that follows the reconnection.
    if (!connected) return;
    if (nowMs >= this.#nextDigestMs) {
      this.#digestMs = nowMs;
      this.#nextDigestMs = nowMs + this.#spread(DIGEST_MS);
      this.#send("digest", deployments, undefined);
    } else if (this.#changed.size > 0 || nowMs - this.#sentMs >= HEARTBEAT_MS) {
      this.#send("delta", this.#listForDelta(nowMs), DELTA_BUCKET_COUNT);
    } else return;
    this.#changed.clear();
  }

  /** What has changed, and with a sign of life what is not closed: others forget that within seconds. */
  #listForDelta(nowMs: number): readonly Deployment[] {
    const { deployments, evidence } = this.#parts;
    return deployments.filter(
      (deployment) => this.#changed.has(deployment) || evidence.breakerState(deployment, nowMs) !== "closed",
    );
  }

  #send(kind: ReportKind, deployments: readonly Deployment[], bucketCount: number | undefined): void {
    const report = this.#report(deployments, bucketCount);
    if (boundReportBytes(report) <= MAX_REPORT_BYTES) return this.#publish(kind, report);
    for (const part of splitByBytes(report.deployments, measureDeployment)) {
      this.#publish(kind, { deployments: part, credentials: [] });
    }
    for (const part of splitByBytes(report.credentials, measureCredential)) {
      this.#publish(kind, { deployments: [], credentials: part });
    }
  }

  #publish(kind: ReportKind, report: EvidenceReport): void {
    const { bus, clock } = this.#parts;
    this.#sequence += 1;
    const payload = encodeHealthMessage(this.#makeHeader(), kind, report);
    const sent = bus.publish({ subject: this.#subject, type: "sluice.v1.HealthMessage", payload });
    this.#sentMs = clock.nowMs();
    if (sent) this.#sentCount += 1;
    else this.#droppedCount += 1;
  }

  #report(deployments: readonly Deployment[], bucketCount: number | undefined): EvidenceReport {
    const { evidence, clock } = this.#parts;
    return {
      deployments: deployments.map((deployment): DeploymentReport => {
        const { inFlightCount, series, breaker } = evidence.report(deployment, bucketCount, bucketCount);
        const { healthScore } = evidence.view(deployment, clock.nowMs());
        const registers = evidence.reportRegisters(deployment);
        return { deploymentId: deployment.id, inFlightCount, series, breaker, healthScore, registers };
      }),
      credentials: evidence.reportCredentials(),
    };
  }

  #makeHeader(): ReplicaHeader {
    const { clock, replicaId, incarnation, version } = this.#parts;
    const nowMs = clock.nowMs();
    return {
      replicaId,
      incarnation,
      sequence: this.#sequence,
      sentMs: Math.floor(nowMs),
      version,
      uptimeMs: nowMs - this.#startedMs,
      draining: this.#draining,
    };
  }

  #hastenDigest(nowMs: number): void {
    const soonMs = nowMs + this.#parts.random.next() * JOIN_SPREAD_MS;
    // Whoever asks without end must not make the others so loud that they are taken for a flood.
    const dueMs = Math.max(soonMs, this.#digestMs + JOIN_SPREAD_MS);
    this.#nextDigestMs = Math.min(this.#nextDigestMs, dueMs);
  }

  #spread(intervalMs: number): number {
    return intervalMs * (1 + SPREAD_RATIO * (2 * this.#parts.random.next() - 1));
  }
}

/** Parts that each fit into one message. */
function splitByBytes<T>(items: readonly T[], measure: (item: T) => number): readonly T[][] {
  const parts: T[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const itemBytes = measure(item);
    if (bytes + itemBytes > MAX_REPORT_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(item);
    bytes += itemBytes;
  }
  return parts;
}
