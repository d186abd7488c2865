/** For how long another replica's word alone keeps a deployment from being used. */
const HEED_MS = 5_000;
/** And not more often than this, so that a replica that lies costs at most a twelfth of the time. */
const HEED_INTERVAL_MS = 60_000;

/**
 * A wait that another replica told of: a cooldown, a refused credential. It is heeded
 * for 5 s; by then this replica has either not needed the deployment or learns for
 * itself. Own experience of the same kind in the last minute makes it heed each time.
 */
export class HeededWait {
  #untilMs = 0;
  #nextMs = Number.NEGATIVE_INFINITY;

  /** Until when to wait, by the Clock; 0 when there is nothing to wait for. */
  get untilMs(): number {
    return this.#untilMs;
  }

  /** Another replica says that there are `remainingMs` left. `ownMs`: when the same was last seen here. */
  heed(nowMs: number, remainingMs: number, ownMs: number | undefined): void {
    const seenHere = ownMs !== undefined && nowMs - ownMs <= HEED_INTERVAL_MS;
    if (!(remainingMs > 0) || (!seenHere && nowMs < this.#nextMs)) return;
    this.#untilMs = Math.max(this.#untilMs, nowMs + Math.min(remainingMs, HEED_MS));
    this.#nextMs = nowMs + HEED_INTERVAL_MS;
  }

  /** It was taken back. */
  clear(): void {
    this.#untilMs = 0;
  }
}
