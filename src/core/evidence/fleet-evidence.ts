import type { SeriesValue } from "./bucket-series.ts";
import type { PeerBreaker } from "./peer-breaker.ts";
import { PEER_GONE_MS, PEER_TTL_MS, PeerEvidence } from "./peer-evidence.ts";
import { findEvidenceProblem, type ReplicaEvidence } from "./replica-evidence.ts";
import { computeTripStatistic, makeTripSums } from "./trip-statistic.ts";

/** A process that just started may still have a former one's evidence in the windows: two are kept. */
const INCARNATION_COUNT = 2;
/** More replicas than this are not listened to. */
const MAX_REPLICA_COUNT = 256;
/** A replica that is gone for this long has no evidence left in any window. */
const FORGET_MS = 150_000;
/** How long a sender is not listened to about a deployment after being refuted. */
const REFUTED_MS = 60_000;
/** Evidence of other replicas counts as at most this many attempts. */
const MAX_ADVICE_MASS = 20;
/** And no single one's as more than a third of that. */
const MAX_PEER_ADVICE_MASS = MAX_ADVICE_MASS / 3;
const ADVICE_WINDOW_MS = 60_000;
/** One replica counts as having at most this many times our attempts in flight, or this many. */
const MAX_IN_FLIGHT_RATIO = 4;
const MIN_IN_FLIGHT_BOUND = 8;

/** What happened to a message. */
export type MergeResult = "merged" | "invalid" | "late" | "too_many_replicas" | "old_incarnation";

/** What the other replicas have told about one deployment. */
export class FleetEvidence {
  readonly #peers = new Map<string, PeerEvidence[]>();
  readonly #sums = makeTripSums();
  readonly #refutedCounts = new Map<string, number>();

  /** Joins a message of another replica. `spent` is raised by the requests and tokens that became known. */
  merge(evidence: ReplicaEvidence, nowMs: number, spent: Float64Array): MergeResult {
    if (!Number.isFinite(nowMs) || findEvidenceProblem(evidence) !== undefined) return "invalid";
    this.#forgetGone(nowMs);
    const incarnations = this.#peers.get(evidence.replicaId) ?? [];
    if (incarnations.length === 0 && this.#peers.size >= MAX_REPLICA_COUNT) return "too_many_replicas";
    let peer = incarnations.find(({ incarnation }) => incarnation === evidence.incarnation);
    if (peer === undefined) {
      const oldest = incarnations[INCARNATION_COUNT - 1];
      if (oldest !== undefined && oldest.incarnation > evidence.incarnation) return "old_incarnation";
      peer = new PeerEvidence(evidence.incarnation);
      incarnations.push(peer);
      incarnations.sort((a, b) => b.incarnation - a.incarnation);
      incarnations.length = Math.min(incarnations.length, INCARNATION_COUNT);
      this.#peers.set(evidence.replicaId, incarnations);
    }
    return peer.merge(evidence, nowMs, spent) ? "merged" : "late";
  }

  /** Adds what the peers say, each times its weight, to the sums of the trip statistic. */
  addTripSums(nowMs: number, weightOf: (replicaId: string) => number, sums: Float64Array): void {
    for (const [replicaId, incarnations] of this.#peers) {
      for (const peer of incarnations) {
        const weight = peer.weight(nowMs) * weightOf(replicaId);
        if (weight > 0) peer.addTripSums(nowMs, weight, sums);
      }
    }
  }

  /**
   * An attempt of our own has shown that the deployment works: what speaks against it
   * until now is void, and who said so is not listened to about it for a minute.
   */
  refute(nowMs: number): void {
    for (const [replicaId, incarnations] of this.#peers) {
      for (const peer of incarnations) {
        if (!this.#speaksAgainst(peer, nowMs)) continue;
        peer.refute(nowMs, nowMs + REFUTED_MS);
        this.#refutedCounts.set(replicaId, (this.#refutedCounts.get(replicaId) ?? 0) + 1);
      }
    }
  }

  /** Drops what was told in the name of a replica. */
  forget(replicaId: string): void {
    this.#peers.delete(replicaId);
  }

  /** How often a replica was refuted. */
  refutedCount(replicaId: string): number {
    return this.#refutedCounts.get(replicaId) ?? 0;
  }

  /** Whether a replica that is listened to holds it open: its failures may be too old for any window. */
  isHeldOpen(nowMs: number, weightOf: (replicaId: string) => number): boolean {
    for (const [replicaId, [newest]] of this.#peers) {
      if (newest === undefined || newest.silentMs(nowMs) > PEER_TTL_MS) continue;
      if (newest.holdsOpen && newest.weight(nowMs) * weightOf(replicaId) > 0) return true;
    }
    return false;
  }

  /** The circuit breaker of a replica as it last said; undefined when it is gone or never did. */
  breakerOf(replicaId: string, nowMs: number): PeerBreaker | undefined {
    const newest = this.#peers.get(replicaId)?.[0];
    return newest === undefined || newest.silentMs(nowMs) > PEER_GONE_MS ? undefined : newest.breaker;
  }

  /** Replicas that hold it open or probe it, and the age of the newest evidence; undefined when there is none. */
  describePeers(nowMs: number): {
    readonly openCount: number;
    readonly newestAgeMs: number | undefined;
    readonly endedCount: number;
    readonly failedCount: number;
  } {
    let openCount = 0;
    let newestAgeMs: number | undefined;
    let endedCount = 0;
    let failedCount = 0;
    for (const [replicaId, [newest]] of this.#peers) {
      if (newest === undefined) continue;
      const seen = this.summarize(replicaId, nowMs);
      endedCount += seen.endedCount;
      failedCount += seen.failedCount;
      newestAgeMs = Math.min(newestAgeMs ?? Number.POSITIVE_INFINITY, newest.silentMs(nowMs));
      if (newest.silentMs(nowMs) <= PEER_GONE_MS && isNotClosed(newest.breaker)) openCount += 1;
    }
    return { openCount, newestAgeMs, endedCount, failedCount };
  }

  #speaksAgainst(peer: PeerEvidence, nowMs: number): boolean {
    this.#sums.fill(0);
    peer.addTripSums(nowMs, 1, this.#sums);
    return computeTripStatistic(this.#sums) > 0 || peer.holdsOpen;
  }

  /** What peers saw in the last minute, as attempts: advice, so it counts as at most 20 of them. */
  readAdvice(
    nowMs: number,
    weightOf: (replicaId: string) => number,
  ): { readonly successes: number; readonly failures: number } {
    let successes = 0;
    let failures = 0;
    for (const [replicaId, incarnations] of this.#peers) {
      for (const peer of incarnations) {
        const weight = peer.weight(nowMs) * weightOf(replicaId);
        if (!(weight > 0)) continue;
        const ok = peer.sum(nowMs, ADVICE_WINDOW_MS, "ok");
        const failed =
          peer.sum(nowMs, ADVICE_WINDOW_MS, "hard") + peer.sum(nowMs, ADVICE_WINDOW_MS, "weak") / 2;
        const scale = weight * Math.min(1, MAX_PEER_ADVICE_MASS / Math.max(ok + failed, 1));
        successes += scale * ok;
        failures += scale * failed;
      }
    }
    const scale = Math.min(1, MAX_ADVICE_MASS / Math.max(successes + failures, 1));
    return { successes: successes * scale, failures: failures * scale };
  }

  /**
   * Attempts in flight at the other replicas. One that is silent but not yet gone is
   * taken to have as many as this replica: not none, which would draw traffic to it.
   */
  inFlightCount(nowMs: number, ownCount: number): number {
    let total = 0;
    for (const [newest] of this.#peers.values()) {
      if (newest === undefined || newest.silentMs(nowMs) > PEER_GONE_MS) continue;
      const most = Math.max(ownCount * MAX_IN_FLIGHT_RATIO, MIN_IN_FLIGHT_BOUND);
      total += Math.min(newest.inFlightCount(nowMs) ?? ownCount, most);
    }
    return total;
  }

  /** What a replica has seen in the last minute: attempts that ended, and those of them that failed. */
  summarize(replicaId: string, nowMs: number): { readonly endedCount: number; readonly failedCount: number } {
    let failedCount = 0;
    let okCount = 0;
    for (const peer of this.#peers.get(replicaId) ?? []) {
      failedCount += peer.sum(nowMs, ADVICE_WINDOW_MS, "hard");
      okCount += peer.sum(nowMs, ADVICE_WINDOW_MS, "ok");
    }
    return { endedCount: failedCount + okCount, failedCount };
  }

  /** Everything known, in a fixed order: equal for equal knowledge. */
  toValue(): readonly { readonly key: string; readonly series: SeriesValue }[] {
    return [...this.#peers]
      .flatMap(([replicaId, incarnations]) =>
        incarnations.map((peer) => ({ key: `${replicaId}/${peer.incarnation}`, series: peer.toValue() })),
      )
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  #forgetGone(nowMs: number): void {
    for (const [replicaId, [newest]] of this.#peers) {
      if (newest === undefined || newest.silentMs(nowMs) > FORGET_MS) {
        this.#peers.delete(replicaId);
        this.#refutedCounts.delete(replicaId);
      }
    }
  }
}

function isNotClosed(breaker: PeerBreaker | undefined): boolean {
  return breaker !== undefined && breaker.state !== "closed";
}
