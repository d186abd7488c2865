import {
  BucketSeries,
  COARSE_BUCKET_MS,
  COUNTER_FIELDS,
  COUNTERS,
  type Counter,
  FINE_BUCKET_MS,
  type SeriesValue,
} from "./bucket-series.ts";
import { TRIP_WEIGHTS } from "./outcome-door.ts";
import type { PeerBreaker } from "./peer-breaker.ts";
import type { ReplicaEvidence } from "./replica-evidence.ts";
import { type FailureCounts, SequentialRun } from "./sequential-run.ts";

/** A replica that was silent for this long is not known to be what it last said. */
export const PEER_TTL_MS = 5_000;
/** After this long without a word it is gone. */
export const PEER_GONE_MS = 15_000;
/** After the TTL a silent peer's evidence halves with each of these. */
const SILENCE_HALF_LIFE_MS = 10_000;
/**
 * How much a sender's clock may run slower than ours: a clock that is being corrected is let run off by at most 500
 * parts in a million (NTP, RFC 5905, 11.3). Its messages seem to come later and later, and are not.
 */
const MAX_DRIFT_RATIO = 500e-6;
/** A message this much later than its sender's quickest one was held up on the way. */
export const MAX_DELAY_MS = 5_000;

/** What was counted longer ago is no part of a run of evidence: a digest after a partition tells of it all at once. */
const RECENT_MS = 2_000;
/** A peer's run of evidence ends after this long without any. */
export const PEER_RUN_MEMORY_MS = 5_000;

/** Where `merge` writes what became known. */
export const NEWS_FIELDS = {
  started: 0,
  reservedTokens: 1,
  limited: 2,
  /** Failures in weights of the trip statistic. */
  failureWeight: 3,
  /** Of the last 2 s. */
  recentOk: 4,
  recentHard: 5,
  recentWeak: 6,
  /** 1 when the sender's breaker has closed: what it counted before is void. */
  closed: 7,
} as const;
export const NEWS_FIELD_COUNT = 8;

/** What a minute is for advice: attempts that were answered and that failed. */
const MINUTE_MS = 60_000;
/** Scratch: one merge, and one sum, at a time. */
const INCREASES = new Float64Array(COUNTERS.length);
const RECENT_INCREASES = new Float64Array(COUNTERS.length);
const SUMS = new Float64Array(COUNTERS.length);

/** What a peer counted in the last minute. */
export interface PeerMinute {
  ok: number;
  hard: number;
  weak: number;
  reservedTokens: number;
  settledTokens: number;
}

/**
 * What one incarnation of another replica has told about one deployment. Its times
 * are its own: they are mapped by the smallest difference between arrival and
 * sending seen, let rise as fast as clocks may drift, so that only ages matter and no clock need be right.
 */
export class PeerEvidence {
  readonly incarnation: number;
  readonly #series = new BucketSeries();
  readonly #run = new SequentialRun(PEER_RUN_MEMORY_MS);
  #offsetMs = Number.POSITIVE_INFINITY;
  #heardMs = 0;
  #sequence = -1;
  #inFlightCount = 0;
  #mutedUntilMs = 0;
  #breaker: PeerBreaker | undefined;
  #probeFromMs = 0;
  #openTimeMs = 0;
  #refutedEpoch = -1;
  /** When its breaker closed last, by its clock; 0 when it never did. */
  #closedMs = 0;
  readonly #minute: PeerMinute = { ok: 0, hard: 0, weak: 0, reservedTokens: 0, settledTokens: 0 };
  /** The bucket in which `#minute` was summed up; NaN when something has changed since. */
  #minuteIndex = Number.NaN;

  constructor(incarnation: number) {
    this.incarnation = incarnation;
  }

  /**
   * Joins a valid message. `news`, a number for each of `NEWS_FIELDS`, is raised by what
   * became known. Returns false for a message that was held up too long: it is
   * dropped, the next one says it all again.
   */
  merge(evidence: ReplicaEvidence, nowMs: number, news: Float64Array): boolean {
    const offsetMs = nowMs - evidence.sentMs;
    const silentMs = this.silentMs(nowMs);
    // The clock of a machine that was suspended has stood still: from whoever was gone anything is news, and of
    // what a frozen connection brings all at once the last is on time.
    const knownMs = silentMs > PEER_GONE_MS ? Number.POSITIVE_INFINITY : this.#offsetMs;
    const driftedMs = knownMs + silentMs * MAX_DRIFT_RATIO;
    if (offsetMs > driftedMs + MAX_DELAY_MS) return false;
    this.#offsetMs = Math.min(driftedMs, offsetMs);
    this.#heardMs = Math.max(this.#heardMs, nowMs);
    const increases = INCREASES.fill(0);
    const recentIncreases = RECENT_INCREASES.fill(0);
    const recentIndex = Math.floor((evidence.sentMs - RECENT_MS) / FINE_BUCKET_MS);
    const rose = this.#series.merge(evidence.series, recentIndex, increases, recentIncreases);
    for (let field = 0; field < increases.length; field++) {
      increases[field] = (increases[field] ?? 0) + (recentIncreases[field] ?? 0);
    }
    raise(news, NEWS_FIELDS.started, readCounter(increases, "started"));
    raise(news, NEWS_FIELDS.reservedTokens, readCounter(increases, "reservedTokens"));
    raise(news, NEWS_FIELDS.limited, readCounter(increases, "limited"));
    const hardWeight = readCounter(increases, "hard") * TRIP_WEIGHTS.hard;
    const weakWeight = readCounter(increases, "weak") * TRIP_WEIGHTS.weak;
    raise(news, NEWS_FIELDS.failureWeight, hardWeight + weakWeight);
    if (rose) this.#minuteIndex = Number.NaN;
    if (evidence.sequence > this.#sequence) {
      this.#sequence = evidence.sequence;
      this.#inFlightCount = evidence.inFlightCount;
      if (evidence.breaker !== undefined) this.#takeBreaker(evidence.breaker, nowMs);
    }
    const closedMs = evidence.breaker?.closedMs ?? 0;
    // Every message says it again.
    if (closedMs > this.#closedMs) {
      this.#closedMs = closedMs;
      this.#series.voidThrough(closedMs);
      this.#run.clear();
      raise(news, NEWS_FIELDS.closed, 1);
      this.#minuteIndex = Number.NaN;
    } else this.#addToRuns(nowMs, recentIncreases, news);
    return true;
  }

  #addToRuns(nowMs: number, increases: Float64Array, news: Float64Array): void {
    const okCount = readCounter(increases, "ok");
    const hardCount = readCounter(increases, "hard");
    const weakCount = readCounter(increases, "weak");
    // Whether this replica speaks against the deployment is what its message says as a whole: one failure behind the
    // many answers that came with it, of a replica that has more than it can tell one by one, is chance.
    const weight = okCount * TRIP_WEIGHTS.ok + hardCount * TRIP_WEIGHTS.hard + weakCount * TRIP_WEIGHTS.weak;
    const failureCount = hardCount + weakCount / 2;
    if (weight !== 0) this.#run.add(nowMs, weight, okCount + failureCount, failureCount);
    raise(news, NEWS_FIELDS.recentOk, okCount);
    raise(news, NEWS_FIELDS.recentHard, hardCount);
    raise(news, NEWS_FIELDS.recentWeak, weakCount);
  }

  #takeBreaker(breaker: PeerBreaker, nowMs: number): void {
    const isSame = this.#breaker?.epoch === breaker.epoch && this.#breaker.state === breaker.state;
    this.#breaker = breaker;
    // What is due, and is said again, is due since then.
    const dueMs = isSame ? Math.min(this.#probeFromMs, nowMs) : nowMs;
    this.#probeFromMs = breaker.probeDelayMs > 0 ? nowMs + breaker.probeDelayMs : dueMs;
    this.#openTimeMs = breaker.state === "closed" ? 0 : Math.max(this.#openTimeMs, breaker.probeDelayMs);
  }

  /** When it may probe, by our Clock; in the past as soon as it may. */
  get probeFromMs(): number {
    return this.#probeFromMs;
  }

  /** The longest time to a probe that it has told of since it opened. */
  get openTimeMs(): number {
    return this.#openTimeMs;
  }

  /** Its circuit breaker as it last said; undefined when it never did. */
  get breaker(): PeerBreaker | undefined {
    return this.#breaker;
  }

  /** Whether it holds the deployment open or probes it, in an episode that was not refuted. */
  get holdsOpen(): boolean {
    return (
      this.#breaker !== undefined &&
      this.#breaker.state !== "closed" &&
      this.#breaker.epoch > this.#refutedEpoch
    );
  }

  /** How long it has been silent. */
  silentMs(nowMs: number): number {
    return Math.max(nowMs - this.#heardMs, 0);
  }

  /** What it last said to have in flight; undefined when that was too long ago. */
  inFlightCount(nowMs: number): number | undefined {
    return this.silentMs(nowMs) <= PEER_TTL_MS ? this.#inFlightCount : undefined;
  }

  /** How much its evidence counts, 0 to 1: nothing while muted, less and less while silent. */
  weight(nowMs: number): number {
    if (nowMs < this.#mutedUntilMs) return 0;
    const overdueMs = this.silentMs(nowMs) - PEER_TTL_MS;
    return overdueMs > 0 ? 2 ** (-overdueMs / SILENCE_HALF_LIFE_MS) : 1;
  }

  /** Adds its part, times `weight`, to the sums of the trip statistic. */
  addTripSums(nowMs: number, weight: number, sums: Float64Array): void {
    this.#series.addTripSums(nowMs - this.#offsetMs, weight, sums);
  }

  /** What speaks against the deployment in what it told lately, by the sequential test; nothing where that is 0. */
  readRun(nowMs: number): FailureCounts {
    return this.#run.readCounts(nowMs);
  }

  /** What it counted in the last `windowMs` (up to 120 s). */
  sum(nowMs: number, windowMs: number, counter: Counter): number {
    return this.#series.sum(nowMs - this.#offsetMs, windowMs, counter);
  }

  /** What it counted in the last minute, to a bucket of 5 s. The object is reused. */
  readMinute(nowMs: number): Readonly<PeerMinute> {
    const minute = this.#minute;
    const peerMs = nowMs - this.#offsetMs;
    const index = Math.floor(peerMs / COARSE_BUCKET_MS);
    if (index === this.#minuteIndex) return minute;
    this.#minuteIndex = index;
    this.#series.sumCounters(peerMs, MINUTE_MS, SUMS);
    minute.ok = SUMS[COUNTER_FIELDS.ok] ?? 0;
    minute.hard = SUMS[COUNTER_FIELDS.hard] ?? 0;
    minute.weak = SUMS[COUNTER_FIELDS.weak] ?? 0;
    minute.reservedTokens = SUMS[COUNTER_FIELDS.reservedTokens] ?? 0;
    minute.settledTokens = SUMS[COUNTER_FIELDS.settledTokens] ?? 0;
    return minute;
  }

  /** What it said until now was refuted: it counts no more, and it is not listened to until `untilMs`. */
  refute(nowMs: number, untilMs: number): void {
    this.#series.voidUntil(nowMs - this.#offsetMs);
    this.#run.clear();
    this.#refutedEpoch = this.#breaker?.epoch ?? this.#refutedEpoch;
    this.#minuteIndex = Number.NaN;
    this.#mutedUntilMs = Math.max(this.#mutedUntilMs, untilMs);
  }

  /** What is known of it, as a value. */
  toValue(): SeriesValue {
    return this.#series.toValue();
  }
}

function readCounter(increases: Float64Array, counter: Counter): number {
  return increases[COUNTER_FIELDS[counter]] ?? 0;
}

function raise(news: Float64Array, field: number, amount: number): void {
  news[field] = (news[field] ?? 0) + amount;
}
