import { RateBucket } from "./rate-bucket.ts";

/** One replica counts as having spent at most this many times its even share of a limit … */
const MAX_SHARE_RATIO = 4;
/** … and this many while it is not listened to, because what it said of the deployment was refuted. */
const REFUTED_SHARE_RATIO = 1;
/** Replicas are forgotten, the one that came first before the others, when there are more. */
const MAX_REPLICA_COUNT = 256;

/**
 * How much of what each replica says to have spent of one limit counts: no more than
 * four times its even share, or its even share while it is refuted, nor than the limit.
 * Whoever lies takes no more than that from the others; replicas whose traffic is very
 * uneven learn the rest from refusals.
 */
export class PeerSpending {
  readonly #buckets = new Map<string, RateBucket>();

  /** The part of `amount` that counts. `perMinute`: the limit; undefined counts all. */
  count(
    replicaId: string,
    amount: number,
    perMinute: number | undefined,
    liveCount: number,
    nowMs: number,
    refuted: boolean,
  ): number {
    if (perMinute === undefined || !(amount > 0)) return amount > 0 ? amount : 0;
    const shareRatio = refuted ? REFUTED_SHARE_RATIO : MAX_SHARE_RATIO;
    const rate = Math.min(shareRatio / Math.max(liveCount, 1), 1) * perMinute;
    const bucket = this.#buckets.get(replicaId) ?? this.#add(replicaId, rate, nowMs);
    bucket.setRate(rate, nowMs);
    const left = bucket.headroomRatio(nowMs) * bucket.capacity;
    return bucket.take(Math.min(amount, left), nowMs);
  }

  #add(replicaId: string, rate: number, nowMs: number): RateBucket {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined && this.#buckets.size >= MAX_REPLICA_COUNT) this.#buckets.delete(oldest);
    const bucket = new RateBucket(rate, nowMs);
    this.#buckets.set(replicaId, bucket);
    return bucket;
  }
}
