import { FleetEvidence, type MergeResult, type MinuteCounts } from "../../core/evidence/fleet-evidence.ts";
import { type EvidenceKind, TRIP_WEIGHTS } from "../../core/evidence/outcome-door.ts";
import { NEWS_FIELDS, PEER_RUN_MEMORY_MS } from "../../core/evidence/peer-evidence.ts";
import type { ReplicaEvidence } from "../../core/evidence/replica-evidence.ts";
import { SequentialRun } from "../../core/evidence/sequential-run.ts";
import { isSuspect, VERIFICATION_MS } from "../../core/evidence/suspicion.ts";
import {
  computeTripStatistic,
  makeTripSums,
  TRIP_THRESHOLD,
  TripSeries,
} from "../../core/evidence/trip-statistic.ts";

/** Attempts that succeeded and failed. */
export interface Advice {
  readonly successes: number;
  readonly failures: number;
}

const NO_ADVICE: Advice = { successes: 0, failures: 0 };

/** Longer than a refuted replica is not listened to: it has been wrong when it comes with the same again. */
const PROVED_MS = 180_000;
/** One attempt in a hundred is late enough to be hedged, and one in hundreds fails of its own: once proves nothing, unless most of the others have seen the same. */
const CONVINCING_FAILURE_COUNT = 2;

/** An answer of our own this recent is newer than much of what the others go by: their word alone does not outweigh it. */
const FRESH_ANSWER_MS = 1_000;

/**
 * Whether a deployment has failed: by this replica's own evidence, which opens its
 * breaker, and by the fleet's, which makes it suspect until one attempt has shown who is right.
 */
export class FailureEvidence {
  readonly #weightOf: (replicaId: string) => number;
  readonly #own = new TripSeries();
  readonly #fleet = new FleetEvidence();
  /** Own attempts and the other replicas' as one stream: the third failure anywhere counts as a third one here. */
  readonly #run = new SequentialRun(PEER_RUN_MEMORY_MS);
  /** Whose failures are in it. */
  readonly #runAccusers = new Set<string>();
  readonly #sums = makeTripSums();
  #hasPeers = false;
  #verifyingSinceMs: number | undefined;
  /** Verifications in a row that succeeded. */
  #verifiedCount = 0;
  #verifiedMs = Number.NEGATIVE_INFINITY;
  /** When a verification succeeded last. */
  #provedMs = Number.NEGATIVE_INFINITY;
  /** Verifications in a row that failed or were late. */
  #failedCount = 0;
  /** When an attempt of this replica failed last, unless one has succeeded since. */
  #failedMs = Number.NEGATIVE_INFINITY;
  /** When one was answered last. */
  #answeredMs = Number.NEGATIVE_INFINITY;

  constructor(weightOf: (replicaId: string) => number) {
    this.#weightOf = weightOf;
  }

  /** Adds this replica's evidence. */
  record(nowMs: number, kind: EvidenceKind): void {
    this.#own.record(nowMs, kind);
    this.#run.addAtOnce(nowMs, Number(kind === "ok"), Number(kind === "hard"), Number(kind === "weak"));
    if (kind === "hard") this.#failedMs = nowMs;
    else if (kind === "ok") {
      this.#failedMs = Number.NEGATIVE_INFINITY;
      this.#answeredMs = nowMs;
    }
  }

  /** Takes back what the silence of an attempt counted as: it was answered after all. */
  answerLate(nowMs: number): void {
    this.#own.retract(nowMs, "weak");
    this.#run.add(nowMs, -TRIP_WEIGHTS.weak, 0, 0);
    this.record(nowMs, "ok");
  }

  /** The trip statistic of this replica's own evidence since `forgetOwn`. */
  statistic(nowMs: number): number {
    return this.#own.statistic(nowMs);
  }

  /** The breaker has closed: what opened it is over. */
  forgetOwn(): void {
    this.#own.clear();
    this.#run.clear();
    this.#failedMs = Number.NEGATIVE_INFINITY;
  }

  /** Joins another replica's evidence; see `FleetEvidence.merge`. `news` holds nothing before. */
  merge(evidence: ReplicaEvidence, nowMs: number, news: Float64Array): MergeResult {
    const result = this.#fleet.merge(evidence, nowMs, news);
    if (result !== "merged") return result;
    this.#hasPeers = true;
    if ((news[NEWS_FIELDS.closed] ?? 0) > 0) this.#run.clear();
    this.#addToRun(nowMs, evidence.replicaId, news);
    return result;
  }

  #addToRun(nowMs: number, replicaId: string, news: Float64Array): void {
    const weight = this.#fleet.isRefuted(replicaId, nowMs) ? 0 : this.#weightOf(replicaId);
    const hardCount = weight * (news[NEWS_FIELDS.recentHard] ?? 0);
    const weakCount = weight * (news[NEWS_FIELDS.recentWeak] ?? 0);
    if (this.#run.statistic(nowMs) === 0) this.#runAccusers.clear();
    if (hardCount + weakCount > 0) this.#runAccusers.add(replicaId);
    this.#run.addAtOnce(nowMs, weight * (news[NEWS_FIELDS.recentOk] ?? 0), hardCount, weakCount);
  }

  /** Drops what was told in the name of a replica, and the run with it where that is a part of it. */
  forgetReplica(replicaId: string): void {
    this.#fleet.forget(replicaId);
    if (this.#runAccusers.has(replicaId)) this.#run.clear();
  }

  #hasRun(nowMs: number): boolean {
    if (this.#run.statistic(nowMs) < TRIP_THRESHOLD) return false;
    // Who was listened to then and is no more takes the run along; the windows know without it.
    for (const replicaId of this.#runAccusers) {
      if (this.#weightOf(replicaId) > 0) continue;
      this.#run.clear();
      return false;
    }
    return true;
  }

  /** What the other replicas have told. */
  get fleet(): FleetEvidence {
    return this.#fleet;
  }

  /**
   * Whether the fleet's evidence would open a breaker that this replica's own has left
   * closed, or another replica's is open already.
   */
  isSuspect(nowMs: number, breakerClosed: boolean): boolean {
    if (!this.#hasPeers || !breakerClosed) return false;
    if (this.#hasRun(nowMs)) return true;
    if (this.#fleet.isHeldOpen(nowMs, this.#weightOf)) return true;
    // Own evidence is no more than its run, which ends when the breaker opens.
    const bound = this.#fleet.boundTripStatistic(nowMs, this.#weightOf);
    if (bound + this.#own.statistic(nowMs) < TRIP_THRESHOLD) return false;
    this.#sums.fill(0);
    this.#own.addTripSums(nowMs, this.#sums);
    this.#fleet.addTripSums(nowMs, this.#weightOf, this.#sums);
    const fleetStatistic = computeTripStatistic(this.#sums);
    return isSuspect({ fleetStatistic, threshold: TRIP_THRESHOLD, breakerClosed });
  }

  /** Whether an attempt that verifies the suspicion is under way. */
  isVerifying(nowMs: number): boolean {
    return this.#verifyingSinceMs !== undefined && nowMs - this.#verifyingSinceMs < VERIFICATION_MS;
  }

  beginVerification(nowMs: number): void {
    // Those of an earlier suspicion prove nothing about this one.
    if (nowMs - this.#verifiedMs > VERIFICATION_MS) {
      this.#verifiedCount = 0;
      this.#failedCount = 0;
    }
    this.#verifiedMs = nowMs;
    this.#verifyingSinceMs = nowMs;
  }

  /**
   * An attempt that verifies the suspicion has ended. One success says little against
   * peers who saw some of theirs fail: only as many in a row as such a deployment would
   * seldom show refute them. What says nothing about health changes nothing.
   *
   * Returns whether it proves the peers right: most of them speak and it failed, or a few do and it failed twice
   * in a row, or it was late twice; and none has succeeded in the last minutes. Where one has, whoever suspects it was wrong once, and a failure is one like any other.
   */
  endVerification(nowMs: number, kind: EvidenceKind): boolean {
    this.#verifyingSinceMs = undefined;
    if (kind === "ok") {
      this.#provedMs = nowMs;
      this.#failedCount = 0;
      this.#verifiedCount += 1;
      if (this.#fleet.refute(nowMs, this.#verifiedCount, this.#weightOf)) this.#run.clear();
    }
    if (kind !== "hard" && kind !== "weak") return false;
    this.#verifiedCount = 0;
    this.#failedCount += 1;
    const isSeenByMost = kind === "hard" && this.#fleet.isAccusedByMost(nowMs, this.#weightOf);
    const isDead = isSeenByMost || this.#failedCount >= CONVINCING_FAILURE_COUNT;
    return isDead && nowMs - this.#provedMs > PROVED_MS;
  }

  /**
   * Whether most of the others speak against it, who suspect it together, and this replica's last attempt failed as
   * theirs did a moment ago: then no other one need be made to show who is right. Whether that
   * attempt or their word came first says nothing. As for a verification, none must have succeeded in the last minutes;
   * and nothing in the last second: where much is asked, a failure here and one elsewhere often meet by chance, and one
   * liar would make them most of three.
   */
  confirmsMost(nowMs: number): boolean {
    return (
      nowMs - this.#failedMs <= PEER_RUN_MEMORY_MS &&
      nowMs - this.#answeredMs > FRESH_ANSWER_MS &&
      nowMs - this.#provedMs > PROVED_MS &&
      this.#fleet.isAccusedByMost(nowMs, this.#weightOf) &&
      this.isSuspect(nowMs, true)
    );
  }

  /** The share of failures in what speaks against the deployment here and elsewhere, 0 to 1; 0 where nothing does. */
  failureRatio(nowMs: number): number {
    const { attemptCount, failureCount } = this.#own.readRun(nowMs);
    const elsewhere = this.#fleet.readFailures(nowMs, this.#weightOf);
    const allCount = attemptCount + elsewhere.attemptCount;
    return allCount > 0 ? (failureCount + elsewhere.failureCount) / allCount : 0;
  }

  /** What the other replicas saw lately, as at most 20 attempts. */
  readAdvice(nowMs: number): Advice {
    return this.#hasPeers ? this.#fleet.readAdvice(nowMs, this.#weightOf) : NO_ADVICE;
  }

  /** Attempts in flight at the other replicas; see `FleetEvidence.inFlightCount`. */
  inFlightElsewhereCount(nowMs: number, ownCount: number): number {
    return this.#hasPeers ? this.#fleet.inFlightCount(nowMs, ownCount) : 0;
  }

  /** What another replica has seen in the last minute. */
  summarizePeer(replicaId: string, nowMs: number): MinuteCounts {
    return this.#fleet.summarize(replicaId, nowMs);
  }
}
