import { BucketSeries, COUNTER_FIELDS, COUNTERS, type Counter, type SeriesValue } from "./bucket-series.ts";
import type { PeerBreaker } from "./peer-breaker.ts";
import type { ReplicaEvidence } from "./replica-evidence.ts";

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
const MAX_DELAY_MS = 5_000;

/**
 * What one incarnation of another replica has told about one deployment. Its times
 * are its own: they are mapped by the smallest difference between arrival and
 * sending seen, let rise as fast as clocks may drift, so that only ages matter and no clock need be right.
 */
export class PeerEvidence {
  readonly incarnation: number;
  readonly #series = new BucketSeries();
  #offsetMs = Number.POSITIVE_INFINITY;
  #heardMs = 0;
  #sequence = -1;
  #inFlightCount = 0;
  #mutedUntilMs = 0;
  #breaker: PeerBreaker | undefined;
  #refutedEpoch = -1;

  constructor(incarnation: number) {
    this.incarnation = incarnation;
  }

  /**
   * Joins a valid message. `spent`, two numbers, is raised by the requests and tokens
   * that became known. Returns false for a message that was held up too long: it is
   * dropped, the next one says it all again.
   */
  merge(evidence: ReplicaEvidence, nowMs: number, spent: Float64Array): boolean {
    const offsetMs = nowMs - evidence.sentMs;
    const driftedMs = this.#offsetMs + this.silentMs(nowMs) * MAX_DRIFT_RATIO;
    if (offsetMs > driftedMs + MAX_DELAY_MS) return false;
    this.#offsetMs = Math.min(driftedMs, offsetMs);
    this.#heardMs = Math.max(this.#heardMs, nowMs);
    const increases = new Float64Array(COUNTERS.length);
    this.#series.merge(evidence.series, increases);
    spent[0] = (spent[0] ?? 0) + (increases[COUNTER_FIELDS.started] ?? 0);
    spent[1] = (spent[1] ?? 0) + (increases[COUNTER_FIELDS.reservedTokens] ?? 0);
    if (evidence.sequence > this.#sequence) {
      this.#sequence = evidence.sequence;
      this.#inFlightCount = evidence.inFlightCount;
      if (evidence.breaker !== undefined) this.#breaker = evidence.breaker;
    }
    if (evidence.breaker !== undefined && evidence.breaker.closedMs > 0) {
      this.#series.voidThrough(evidence.breaker.closedMs);
    }
    return true;
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

  /** What it counted in the last `windowMs` (up to 120 s). */
  sum(nowMs: number, windowMs: number, counter: Counter): number {
    return this.#series.sum(nowMs - this.#offsetMs, windowMs, counter);
  }

  /** What it said until now was refuted: it counts no more, and it is not listened to until `untilMs`. */
  refute(nowMs: number, untilMs: number): void {
    this.#series.voidUntil(nowMs - this.#offsetMs);
    this.#refutedEpoch = this.#breaker?.epoch ?? this.#refutedEpoch;
    this.#mutedUntilMs = Math.max(this.#mutedUntilMs, untilMs);
  }

  /** What is known of it, as a value. */
  toValue(): SeriesValue {
    return this.#series.toValue();
  }
}
