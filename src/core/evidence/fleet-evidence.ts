import { type SeriesValue, TRIP_WINDOWS_MS } from "./bucket-series.ts";
import { countConvincingSuccesses } from "./convincing-successes.ts";
import { TRIP_WEIGHTS } from "./outcome-door.ts";
import type { PeerBreaker } from "./peer-breaker.ts";
import { NEWS_FIELDS, PEER_GONE_MS, PEER_TTL_MS, PeerEvidence } from "./peer-evidence.ts";
import { findEvidenceProblem, type ReplicaEvidence } from "./replica-evidence.ts";
import type { FailureCounts } from "./sequential-run.ts";
import { TimeRing } from "./time-ring.ts";
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
/** One replica counts as having at most this many times our attempts in flight, or this many. */
const MAX_IN_FLIGHT_RATIO = 4;
const MIN_IN_FLIGHT_BOUND = 8;
/** One replica's word alone is never that of most, also where there is no third one. */
const MIN_ACCUSER_COUNT = 2;
/** How much more, or less, than reserved a replica's attempts are believed to use, and how many must have ended. */
const MAX_USE_RATIO = 2;
const MIN_USE_COUNT = 10;
/** How often those that are gone are looked for. */
const FORGET_INTERVAL_MS = 1_000;
/** What failures of the last windows add up to at most is kept in buckets of this width, one window longer than they. */
const ALARM_BUCKET_MS = 5_000;
const RECENT_ALARM_BUCKET_COUNT = 20_000 / ALARM_BUCKET_MS + 1;
const ALARM_BUCKET_COUNT = Math.max(...TRIP_WINDOWS_MS) / ALARM_BUCKET_MS + 2;

/** What peers saw in the last minute. */
export interface FleetAdvice {
  atMs: number;
  successes: number;
  failures: number;
  /** Successes as they were counted. */
  okCount: number;
}

/** Attempts that ended in the last minute, and those of them that failed. */
export interface MinuteCounts {
  readonly endedCount: number;
  readonly failedCount: number;
}

/** What happened to a message. */
export type MergeResult = "merged" | "invalid" | "late" | "too_many_replicas" | "old_incarnation";

/** What the other replicas have told about one deployment. */
export class FleetEvidence {
  readonly #peers = new Map<string, PeerEvidence[]>();
  readonly #sums = makeTripSums();
  readonly #refutedCounts = new Map<string, number>();
  /** The weight of failures by when they became known, so that none leaves it before it leaves its peer's windows. */
  readonly #alarm = new TimeRing(ALARM_BUCKET_MS, ALARM_BUCKET_COUNT, 1);
  readonly #advice: FleetAdvice = { atMs: Number.NaN, successes: 0, failures: 0, okCount: 0 };
  #forgottenMs = Number.NEGATIVE_INFINITY;

  /** Joins a message of another replica. `news`: see `PeerEvidence.merge`. */
  merge(evidence: ReplicaEvidence, nowMs: number, news: Float64Array): MergeResult {
    if (!Number.isFinite(nowMs) || findEvidenceProblem(evidence) !== undefined) return "invalid";
    this.#forgetGone(nowMs);
    this.#advice.atMs = Number.NaN;
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
    const failureWeight = news[NEWS_FIELDS.failureWeight] ?? 0;
    const merged = peer.merge(evidence, nowMs, news);
    const rose = (news[NEWS_FIELDS.failureWeight] ?? 0) - failureWeight;
    if (rose > 0) this.#alarm.add(nowMs, 0, rose);
    return merged ? "merged" : "late";
  }

  /**
   * No trip statistic of the peers is above this, and it costs next to nothing: their
   * failures of the last 20 s, or of all windows less the successes of a minute.
   */
  boundTripStatistic(nowMs: number, weightOf: (replicaId: string) => number): number {
    const all = this.#alarm.sum(nowMs, ALARM_BUCKET_COUNT, 0);
    if (all === 0) return 0;
    const recent = this.#alarm.sum(nowMs, RECENT_ALARM_BUCKET_COUNT, 0);
    return Math.max(recent, all + TRIP_WEIGHTS.ok * this.readAdvice(nowMs, weightOf).okCount);
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

  /** What peers saw, in the window in which they speak most against the deployment. */
  readFailures(nowMs: number, weightOf: (replicaId: string) => number): FailureCounts {
    return this.#countFailures(nowMs, weightOf, () => true);
  }

  /**
   * So many attempts of our own in a row have shown that the deployment works. When those who
   * speak against it saw it fail so often that this many would seldom succeed, they are refuted:
   * what they said until now is void, and they are not listened to about it for a minute. Returns whether they are.
   */
  refute(nowMs: number, successCount: number, weightOf: (replicaId: string) => number): boolean {
    this.#advice.atMs = Number.NaN;
    const isAgainst = (peer: PeerEvidence) => this.#speaksAgainst(peer, nowMs);
    const { attemptCount, failureCount } = this.#countFailures(nowMs, weightOf, isAgainst);
    // Where only their breakers speak, what they saw is too old to tell.
    const failureRatio = failureCount > 0 ? failureCount / attemptCount : 1;
    if (successCount < countConvincingSuccesses(failureRatio, 1)) return false;
    for (const [replicaId, incarnations] of this.#peers) {
      for (const peer of incarnations.filter(isAgainst)) {
        peer.refute(nowMs, nowMs + REFUTED_MS);
        this.#refutedCounts.set(replicaId, (this.#refutedCounts.get(replicaId) ?? 0) + 1);
      }
    }
    return true;
  }

  /** Whether two replicas or more, and more than half of those that can be heard and are listened to, speak against it. */
  isAccusedByMost(nowMs: number, weightOf: (replicaId: string) => number): boolean {
    let count = 0;
    let accuserCount = 0;
    for (const peer of this.#listHeard(nowMs, weightOf)) {
      count += 1;
      if (this.#speaksAgainst(peer, nowMs)) accuserCount += 1;
    }
    return accuserCount >= MIN_ACCUSER_COUNT && accuserCount > count / 2;
  }

  /**
   * What the attempts of a replica used of what was reserved for them, over the last minute: from half of it to
   * twice as much, because it is its own word; 1 while too little is known.
   */
  usedTokenRatio(replicaId: string, nowMs: number): number {
    const newest = this.#peers.get(replicaId)?.[0];
    if (newest === undefined) return 1;
    const { ok, reservedTokens, settledTokens } = newest.readMinute(nowMs);
    if (ok < MIN_USE_COUNT || reservedTokens <= 0) return 1;
    return Math.min(Math.max(settledTokens / reservedTokens, 1 / MAX_USE_RATIO), MAX_USE_RATIO);
  }

  /** Drops what was told in the name of a replica. */
  forget(replicaId: string): void {
    this.#peers.delete(replicaId);
    this.#advice.atMs = Number.NaN;
  }

  /** Whether a replica is not listened to, because what it said was refuted a short while ago. */
  isRefuted(replicaId: string, nowMs: number): boolean {
    return this.#peers.get(replicaId)?.[0]?.weight(nowMs) === 0;
  }

  /** How often a replica was refuted. */
  refutedCount(replicaId: string): number {
    return this.#refutedCounts.get(replicaId) ?? 0;
  }

  /** Whether a replica that is listened to holds it open: its failures may be too old for any window. */
  isHeldOpen(nowMs: number, weightOf: (replicaId: string) => number): boolean {
    for (const [replicaId, incarnations] of this.#peers) {
      const newest = incarnations[0];
      if (newest === undefined || !newest.holdsOpen || newest.silentMs(nowMs) > PEER_TTL_MS) continue;
      if (newest.weight(nowMs) * weightOf(replicaId) > 0) return true;
    }
    return false;
  }

  /** Whether more than half of the replicas that can be heard and are listened to hold it open, or probe it. */
  isHeldOpenByMost(nowMs: number, weightOf: (replicaId: string) => number): boolean {
    let count = 0;
    let openCount = 0;
    for (const peer of this.#listHeard(nowMs, weightOf)) {
      count += 1;
      if (peer.holdsOpen) openCount += 1;
    }
    return openCount > count / 2;
  }

  /** How long until the first of those that hold it open may probe it; undefined when nobody does. */
  nextProbeDelayMs(nowMs: number, weightOf: (replicaId: string) => number): number | undefined {
    const overdueMs = this.probeOverdueMs(nowMs, weightOf);
    return overdueMs === Number.NEGATIVE_INFINITY ? undefined : Math.max(-overdueMs, 0);
  }

  /** For how long one of those that hold it open could have probed it; below 0 until then, -Infinity when nobody holds it open. */
  probeOverdueMs(nowMs: number, weightOf: (replicaId: string) => number): number {
    let overdueMs = Number.NEGATIVE_INFINITY;
    for (const peer of this.#listHeard(nowMs, weightOf)) {
      if (peer.holdsOpen) overdueMs = Math.max(overdueMs, nowMs - peer.probeFromMs);
    }
    return overdueMs;
  }

  /** The longest open time that one of those that hold it open has told of since it opened. */
  openTimeMs(nowMs: number, weightOf: (replicaId: string) => number): number {
    let openMs = 0;
    for (const peer of this.#listHeard(nowMs, weightOf)) {
      if (peer.holdsOpen) openMs = Math.max(openMs, peer.openTimeMs);
    }
    return openMs;
  }

  *#listHeard(nowMs: number, weightOf: (replicaId: string) => number): Generator<PeerEvidence> {
    for (const [replicaId, [newest]] of this.#peers) {
      if (newest?.breaker === undefined || newest.silentMs(nowMs) > PEER_TTL_MS) continue;
      if (newest.weight(nowMs) * weightOf(replicaId) > 0) yield newest;
    }
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

  #countFailures(
    nowMs: number,
    weightOf: (replicaId: string) => number,
    counts: (peer: PeerEvidence) => boolean,
  ): FailureCounts {
    const heard: [PeerEvidence, number][] = [];
    for (const [replicaId, incarnations] of this.#peers) {
      for (const peer of incarnations) {
        const weight = peer.weight(nowMs) * weightOf(replicaId);
        if (weight > 0 && counts(peer)) heard.push([peer, weight]);
      }
    }
    this.#sums.fill(0);
    for (const [peer, weight] of heard) peer.addTripSums(nowMs, weight, this.#sums);
    const windowMs = TRIP_WINDOWS_MS[this.#sums.indexOf(computeTripStatistic(this.#sums))];
    const result = { attemptCount: 0, failureCount: 0 };
    for (const [peer, weight] of heard) {
      if (windowMs === undefined) {
        const { attemptCount, failureCount } = peer.readRun(nowMs);
        result.attemptCount += weight * attemptCount;
        result.failureCount += weight * failureCount;
        continue;
      }
      const sum = (counter: "ok" | "hard" | "weak") => weight * peer.sum(nowMs, windowMs, counter);
      const failureCount = sum("hard") + sum("weak") / 2;
      result.failureCount += failureCount;
      result.attemptCount += failureCount + sum("ok");
    }
    return result;
  }

  #speaksAgainst(peer: PeerEvidence, nowMs: number): boolean {
    if (peer.holdsOpen || peer.readRun(nowMs).failureCount > 0) return true;
    this.#sums.fill(0);
    peer.addTripSums(nowMs, 1, this.#sums);
    return computeTripStatistic(this.#sums) > 0;
  }

  /** What peers saw in the last minute, as attempts: advice, so it counts as at most 20 of them. The object is reused. */
  readAdvice(nowMs: number, weightOf: (replicaId: string) => number): Readonly<FleetAdvice> {
    const advice = this.#advice;
    if (advice.atMs === nowMs) return advice;
    advice.atMs = nowMs;
    advice.okCount = 0;
    let successes = 0;
    let failures = 0;
    for (const [replicaId, incarnations] of this.#peers) {
      for (const peer of incarnations) {
        const weight = peer.weight(nowMs) * weightOf(replicaId);
        if (!(weight > 0)) continue;
        const { ok, hard, weak } = peer.readMinute(nowMs);
        const failed = hard + weak / 2;
        const bound = weight * Math.min(1, MAX_PEER_ADVICE_MASS / Math.max(ok + failed, 1));
        advice.okCount += weight * ok;
        successes += bound * ok;
        failures += bound * failed;
      }
    }
    const scale = Math.min(1, MAX_ADVICE_MASS / Math.max(successes + failures, 1));
    advice.successes = successes * scale;
    advice.failures = failures * scale;
    return advice;
  }

  /**
   * Attempts in flight at the other replicas. One that is silent but not yet gone is
   * taken to have as many as this replica: not none, which would draw traffic to it.
   */
  inFlightCount(nowMs: number, ownCount: number): number {
    let total = 0;
    const most = Math.max(ownCount * MAX_IN_FLIGHT_RATIO, MIN_IN_FLIGHT_BOUND);
    for (const incarnations of this.#peers.values()) {
      const newest = incarnations[0];
      if (newest === undefined || newest.silentMs(nowMs) > PEER_GONE_MS) continue;
      // Who was refuted about the deployment is not believed in this either.
      if (newest.weight(nowMs) === 0) continue;
      total += Math.min(newest.inFlightCount(nowMs) ?? ownCount, most);
    }
    return total;
  }

  /** What a replica has seen. */
  summarize(replicaId: string, nowMs: number): MinuteCounts {
    let failedCount = 0;
    let okCount = 0;
    for (const peer of this.#peers.get(replicaId) ?? []) {
      const { ok, hard } = peer.readMinute(nowMs);
      failedCount += hard;
      okCount += ok;
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
    if (nowMs - this.#forgottenMs < FORGET_INTERVAL_MS) return;
    this.#forgottenMs = nowMs;
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
