import type { QuotaHeaders } from "../../domain/quota.ts";
import { AdmittedRate } from "./admitted-rate.ts";
import { PeerSpending } from "./peer-spending.ts";
import {
  acceptQuotaReading,
  estimateQuotaRatio,
  MAX_LIMIT,
  type QuotaReading,
  type QuotaRegister,
} from "./provider-quota.ts";
import { RateBucket } from "./rate-bucket.ts";

/** What the operator knows of a deployment's limits; undefined means no limit is known. */
export interface QuotaLimits {
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
}

export type { QuotaHeaders };

/** A cut-off replica takes this much more than its even share: not everybody is busy at once. */
const CUT_OFF_ALLOWANCE = 1.2;
/** Another replica's reading of a limit further off than this is not believed. */
const MAX_LIMIT_RATIO = 2;
/** Another replica's word never takes more than this share's complement of a limit. */
const MIN_ELSEWHERE_RATIO = 0.25;
/** Own readings younger than the first are better than others'; older than the second they vouch for nothing. */
const FRESH_MS = 5_000;
const STALE_MS = 60_000;
/** For how long a refusal of our own vouches for those of others. */
const VOUCHED_MS = 600_000;
const MINUTE_MS = 60_000;

/**
 * The share of a limit one replica may use: all of it while replicas tell each other
 * what they spend, an even share × 1.2 while it is cut off from those it last knew.
 */
export function computeQuotaShare(liveReplicaCount: number, connected: boolean): number {
  if (connected || !(liveReplicaCount > 1)) return 1;
  return Math.min(1, CUT_OFF_ALLOWANCE / liveReplicaCount);
}

/** How fast the notion of an ordinary attempt's amount follows: the weight of each new one. */
const TYPICAL_WEIGHT = 0.1;

/**
 * One limit: what is configured, what headers say, and the buckets that follow the
 * smaller. The fleet's bucket holds what all replicas together may still spend, as far
 * as this one hears of it. After a refusal the limit is uncertain and often so small
 * that the news of a spent one comes too late: then this replica keeps to an even share too.
 */
class LimitState {
  readonly #configured: number | undefined;
  #header: QuotaRegister | undefined;
  /** The last one that was read here: what others read is measured by it, so that small steps do not add up. */
  #ownHeader: QuotaRegister | undefined;
  #fleet: RateBucket | undefined;
  #own: RateBucket | undefined;
  /** What one more attempt will take; undefined before the first. */
  #typical: number | undefined;

  constructor(configured: number | undefined) {
    this.#configured =
      configured !== undefined && configured > 0 ? Math.min(configured, MAX_LIMIT) : undefined;
  }

  read(reading: QuotaReading | undefined, nowMs: number): void {
    const accepted = reading && acceptQuotaReading(reading, nowMs);
    if (accepted === undefined) return;
    this.#header = accepted;
    this.#ownHeader = accepted;
  }

  /** Takes another replica's reading where an own one, a while ago, told much the same limit. */
  readElsewhere(reading: QuotaReading | undefined, atMs: number): void {
    const own = this.#ownHeader;
    if (reading === undefined || own === undefined) return;
    if (atMs - own.atMs < FRESH_MS || atMs - own.atMs > STALE_MS) return;
    if (reading.limit * MAX_LIMIT_RATIO < own.limit || reading.limit > own.limit * MAX_LIMIT_RATIO) return;
    const remaining = Math.max(reading.remaining, reading.limit * MIN_ELSEWHERE_RATIO);
    this.#header = acceptQuotaReading({ ...reading, remaining }, atMs) ?? this.#header;
  }

  /** The limit in force before any share; undefined while none is known. */
  get known(): number | undefined {
    const known = Math.min(this.#configured ?? Infinity, this.#header?.limit ?? Infinity);
    return known === Number.POSITIVE_INFINITY ? undefined : known;
  }

  /** Takes what an attempt of this replica will use; answers what was taken. */
  reserve(amount: number, nowMs: number, { factor, ownFactor }: LimitFactors): number {
    if (amount > 0) this.#typical = mix(this.#typical, amount);
    const taken = this.#fleetBucket(nowMs, factor)?.take(amount, nowMs) ?? 0;
    this.#ownBucket(nowMs, ownFactor)?.take(amount, nowMs);
    return taken;
  }

  settle(taken: number, actual: number, nowMs: number, { factor, ownFactor }: LimitFactors): void {
    this.#fleetBucket(nowMs, factor)?.settle(taken, actual, nowMs);
    this.#ownBucket(nowMs, ownFactor)?.settle(taken, actual, nowMs);
  }

  spendElsewhere(amount: number, nowMs: number, { factor }: LimitFactors): void {
    this.#fleetBucket(nowMs, factor)?.takeElsewhere(amount, nowMs);
  }

  /** There was not even one more attempt's worth. `chance`: 0 to 1; spreads the replicas' next ones. */
  drain(nowMs: number, { factor, ownFactor }: LimitFactors, chance: number): void {
    this.#fleetBucket(nowMs, factor)?.drain(0, nowMs);
    this.#ownBucket(nowMs, ownFactor)?.drain(chance * (this.#typical ?? 0), nowMs);
  }

  /** What is left of it, 0 to 1, or undefined while no limit is known. Less than one more attempt's worth is nothing. */
  headroomRatio(nowMs: number, { factor, ownFactor }: LimitFactors): number | undefined {
    const fleet = this.#fleetBucket(nowMs, factor);
    if (fleet === undefined) return undefined;
    const typical = this.#typical ?? 0;
    const own = this.#ownBucket(nowMs, ownFactor);
    if (!fleet.holds(typical, nowMs) || own?.holds(typical, nowMs) === false) return 0;
    const left = Math.min(fleet.headroomRatio(nowMs), own?.headroomRatio(nowMs) ?? 1);
    return this.#header === undefined ? left : Math.min(left, estimateQuotaRatio(this.#header, nowMs));
  }

  /** How long until there is room for so many more attempts; undefined while no limit is known. */
  roomDelayMs(attemptCount: number, nowMs: number, { factor }: LimitFactors): number | undefined {
    return this.#fleetBucket(nowMs, factor)?.delayMs(attemptCount * (this.#typical ?? 0), nowMs);
  }

  /** The time between two attempts that a share of the limit allows; undefined while no limit is known. */
  spacingMs(shareRatio: number): number | undefined {
    const { known } = this;
    return known && ((this.#typical ?? 0) * MINUTE_MS) / (known * shareRatio);
  }

  /** The bucket at the limit in force, or undefined while no limit is known. */
  #fleetBucket(nowMs: number, factor: number): RateBucket | undefined {
    const limit = (this.known ?? Infinity) * factor;
    if (limit === Number.POSITIVE_INFINITY) return undefined;
    this.#fleet ??= new RateBucket(limit, nowMs);
    this.#fleet.setRate(limit, nowMs);
    return this.#fleet;
  }

  /** The same for this replica's share; undefined while none has to be kept. */
  #ownBucket(nowMs: number, ownFactor: number | undefined): RateBucket | undefined {
    if (ownFactor === undefined) this.#own = undefined;
    const limit = (this.known ?? Infinity) * (ownFactor ?? Infinity);
    if (limit === Number.POSITIVE_INFINITY) return undefined;
    this.#own ??= new RateBucket(limit, nowMs);
    this.#own.setRate(limit, nowMs);
    return this.#own;
  }
}

/** The parts of a limit that are in force. */
interface LimitFactors {
  /** For the whole fleet, as far as this replica may use it. */
  readonly factor: number;
  /** For this replica alone; undefined while the limit is not in doubt. */
  readonly ownFactor: number | undefined;
}

function mix(before: number | undefined, amount: number): number {
  return before === undefined ? amount : before + TYPICAL_WEIGHT * (amount - before);
}

function longer(oneMs: number | undefined, otherMs: number | undefined): number | undefined {
  return oneMs === undefined || otherMs === undefined ? (oneMs ?? otherMs) : Math.max(oneMs, otherMs);
}

/** Tokens that were reserved for an attempt; give it back to `settle`. */
export interface QuotaReservation {
  readonly tokens: number;
}

/**
 * What is left of a deployment's limits on requests and tokens per minute, as far as
 * it is known: limit in force = the smaller of configured and told by the provider,
 * × the share admitted after refusals, × this replica's share.
 */
export class Quota {
  readonly #requests: LimitState;
  readonly #tokens: LimitState;
  readonly #requestsElsewhere = new PeerSpending();
  readonly #tokensElsewhere = new PeerSpending();
  readonly #admitted = new AdmittedRate();
  #ownRefusedMs = Number.NEGATIVE_INFINITY;
  readonly #countReplicas: (nowMs: number) => number;
  #share = 1;

  /** `countReplicas`: how many replicas are alive and hear of each other, this one included. */
  constructor(limits: QuotaLimits, countReplicas: (nowMs: number) => number = () => 1) {
    this.#requests = new LimitState(limits.requestsPerMinute);
    this.#tokens = new LimitState(limits.tokensPerMinute);
    this.#countReplicas = countReplicas;
  }

  /** Takes one request and the tokens it is expected to cost. */
  reserve(nowMs: number, tokens: number): QuotaReservation {
    const factors = this.#factors(nowMs);
    this.#requests.reserve(1, nowMs, factors);
    return { tokens: this.#tokens.reserve(tokens, nowMs, factors) };
  }

  /** Replaces a reservation by what was really used; undefined when that is not known. */
  settle(nowMs: number, reservation: QuotaReservation, tokens: number | undefined): void {
    if (tokens !== undefined) this.#tokens.settle(reservation.tokens, tokens, nowMs, this.#factors(nowMs));
  }

  /** Takes what another replica has become known to have spent, as far as it counts; see `PeerSpending`. */
  spendElsewhere(
    nowMs: number,
    replicaId: string,
    requestCount: number,
    tokens: number,
    liveCount: number,
    refuted: boolean,
  ): void {
    if (!(requestCount > 0) && !(tokens > 0)) return;
    const factors = this.#factors(nowMs);
    const spend = (spending: PeerSpending, limit: LimitState, amount: number) =>
      limit.spendElsewhere(
        spending.count(replicaId, amount, limit.known, liveCount, nowMs, refuted),
        nowMs,
        factors,
      );
    spend(this.#requestsElsewhere, this.#requests, requestCount);
    spend(this.#tokensElsewhere, this.#tokens, tokens);
  }

  /** Takes what another replica read in a provider's headers, within bounds. */
  readHeadersElsewhere(atMs: number, headers: QuotaHeaders): void {
    this.#requests.readElsewhere(headers.requests, atMs);
    this.#tokens.readElsewhere(headers.tokens, atMs);
  }

  /**
   * The provider refused an attempt for its rate. Where it was made although nothing was left the limit is where
   * it was thought to be, and only what is left is none. `chance`: 0 to 1.
   */
  noteRefusal(nowMs: number, overdrawn: boolean, chance: number): void {
    this.#ownRefusedMs = nowMs;
    if (overdrawn) this.#drain(nowMs, chance);
    else this.#cut(nowMs, chance, 0);
  }

  /** It answered an attempt that was made although nothing was left: less was admitted than there is. */
  noteOverdrawnAnswer(): void {
    this.#admitted.noteAnswer();
  }

  /** It refused another replica's that was within the limits: within bounds, unless it has refused us too in the last minutes. */
  noteRefusalElsewhere(nowMs: number, chance: number): void {
    const vouched = nowMs - this.#ownRefusedMs <= VOUCHED_MS;
    this.#cut(nowMs, chance, vouched ? 0 : MIN_ELSEWHERE_RATIO);
  }

  #cut(nowMs: number, chance: number, leastRatio: number): void {
    if (this.#admitted.ratio(nowMs) <= leastRatio) return;
    this.#admitted.cut(nowMs, leastRatio);
    this.#drain(nowMs, chance);
  }

  #drain(nowMs: number, chance: number): void {
    const factors = this.#factors(nowMs);
    this.#requests.drain(nowMs, factors, chance);
    this.#tokens.drain(nowMs, factors, chance);
  }

  /** Takes what the provider's headers say; what makes no sense is left out. */
  readHeaders(nowMs: number, headers: QuotaHeaders): void {
    this.#requests.read(headers.requests, nowMs);
    this.#tokens.read(headers.tokens, nowMs);
  }

  /** Sets the share of the limits that is this replica's; see `computeQuotaShare`. */
  setShare(ratio: number): void {
    if (ratio > 0) this.#share = Math.min(ratio, 1);
  }

  /** What is left of the tighter limit: 0 to 1, and 1 while none is known and nothing was refused. */
  headroomRatio(nowMs: number): number {
    const factors = this.#factors(nowMs);
    const requests = this.#requests.headroomRatio(nowMs, factors);
    const tokens = this.#tokens.headroomRatio(nowMs, factors);
    // Without a known limit there is nothing to measure but how often we were refused.
    if (requests === undefined && tokens === undefined) return factors.factor;
    return Math.min(requests ?? 1, tokens ?? 1);
  }

  /** How many replicas are alive and hear of each other, this one included. */
  countReplicas(nowMs: number): number {
    return Math.max(this.#countReplicas(nowMs), 1);
  }

  /** How long until there is room for one more attempt of every replica; 0 when there is, undefined while no limit is known. */
  roomDelayMs(nowMs: number): number | undefined {
    const factors = this.#factors(nowMs);
    const count = this.countReplicas(nowMs);
    const requests = this.#requests.roomDelayMs(count, nowMs, factors);
    return longer(requests, this.#tokens.roomDelayMs(count, nowMs, factors));
  }

  /**
   * The time between two attempts of this replica that keeps to its even share; undefined while no limit is known.
   * Of the whole limits, not of what is admitted of them: those who wait for a share that was cut by
   * mistake would keep it cut, and whoever is refused has lost nothing by then.
   */
  spacingMs(nowMs: number): number | undefined {
    const share = this.#share / this.countReplicas(nowMs);
    return longer(this.#requests.spacingMs(share), this.#tokens.spacingMs(share));
  }

  #factors(nowMs: number): LimitFactors {
    const admitted = this.#admitted.ratio(nowMs);
    const factor = admitted * this.#share;
    if (admitted >= 1) return { factor, ownFactor: undefined };
    return { factor, ownFactor: factor / this.countReplicas(nowMs) };
  }
}
