import type { QuotaHeaders } from "../../domain/quota.ts";
import { AdmittedRate } from "./aimd.ts";
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

/**
 * The share of a limit one replica may use: all of it while replicas tell each other
 * what they spend, an even share × 1.2 while it is cut off from those it last knew.
 */
export function computeQuotaShare(liveReplicaCount: number, connected: boolean): number {
  if (connected || !(liveReplicaCount > 1)) return 1;
  return Math.min(1, CUT_OFF_ALLOWANCE / liveReplicaCount);
}

/** One limit: what is configured, what headers say, and the bucket that follows the smaller. */
class LimitState {
  readonly #configured: number | undefined;
  #header: QuotaRegister | undefined;
  /** The last one that was read here: what others read is measured by it, so that small steps do not add up. */
  #ownHeader: QuotaRegister | undefined;
  #bucket: RateBucket | undefined;

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

  /** The bucket at the limit in force, or undefined while no limit is known. */
  bucket(nowMs: number, factor: number): RateBucket | undefined {
    const { known } = this;
    if (known === undefined) return undefined;
    this.#bucket ??= new RateBucket(known * factor, nowMs);
    this.#bucket.setRate(known * factor, nowMs);
    return this.#bucket;
  }

  /** What is left of it, 0 to 1, or undefined while no limit is known. */
  headroomRatio(nowMs: number, factor: number): number | undefined {
    const own = this.bucket(nowMs, factor)?.headroomRatio(nowMs);
    if (own === undefined || this.#header === undefined) return own;
    return Math.min(own, estimateQuotaRatio(this.#header, nowMs));
  }
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
  #share = 1;

  constructor(limits: QuotaLimits) {
    this.#requests = new LimitState(limits.requestsPerMinute);
    this.#tokens = new LimitState(limits.tokensPerMinute);
  }

  /** Takes one request and the tokens it is expected to cost. */
  reserve(nowMs: number, tokens: number): QuotaReservation {
    const factor = this.#factor(nowMs);
    this.#requests.bucket(nowMs, factor)?.take(1, nowMs);
    return { tokens: this.#tokens.bucket(nowMs, factor)?.take(tokens, nowMs) ?? 0 };
  }

  /** Replaces a reservation by what was really used; undefined when that is not known. */
  settle(nowMs: number, reservation: QuotaReservation, tokens: number | undefined): void {
    if (tokens === undefined) return;
    this.#tokens.bucket(nowMs, this.#factor(nowMs))?.settle(reservation.tokens, tokens, nowMs);
  }

  /** Takes what another replica has become known to have spent, as far as it counts; see `PeerSpending`. */
  spendElsewhere(
    nowMs: number,
    replicaId: string,
    requestCount: number,
    tokens: number,
    liveCount: number,
  ): void {
    const factor = this.#factor(nowMs);
    const count = (spending: PeerSpending, limit: LimitState, amount: number) =>
      limit
        .bucket(nowMs, factor)
        ?.take(spending.count(replicaId, amount, limit.known, liveCount, nowMs), nowMs);
    count(this.#requestsElsewhere, this.#requests, requestCount);
    count(this.#tokensElsewhere, this.#tokens, tokens);
  }

  /** Takes what another replica read in a provider's headers, within bounds. */
  readHeadersElsewhere(atMs: number, headers: QuotaHeaders): void {
    this.#requests.readElsewhere(headers.requests, atMs);
    this.#tokens.readElsewhere(headers.tokens, atMs);
  }

  /** The provider refused an attempt for its rate. */
  cut(nowMs: number): void {
    this.#admitted.cut(nowMs);
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
    const factor = this.#factor(nowMs);
    const requests = this.#requests.headroomRatio(nowMs, factor);
    const tokens = this.#tokens.headroomRatio(nowMs, factor);
    // Without a known limit there is nothing to measure but how often we were refused.
    if (requests === undefined && tokens === undefined) return factor;
    return Math.min(requests ?? 1, tokens ?? 1);
  }

  #factor(nowMs: number): number {
    return this.#admitted.ratio(nowMs) * this.#share;
  }
}
