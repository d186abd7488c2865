import type { CandidateTier } from "../../core/candidate-set.ts";
import type { Cleanup, Clock } from "../../domain/ports.ts";
import { ConcurrencyLimit } from "../concurrency-limit.ts";

const MINUTE_MS = 60_000;

/** The limits of one echelon: attempts in flight, and attempts begun in the last minute. */
export class TierLimit {
  readonly #clock: Clock;
  readonly #places: ConcurrencyLimit;
  readonly #rpmLimit: number;
  /** When the last `rpmLimit` attempts began, as a ring. */
  readonly #startsMs: number[] = [];
  #startCount = 0;

  constructor(clock: Clock, concurrencyLimit: number | undefined, rpmLimit: number, maxWaiting: number) {
    this.#clock = clock;
    this.#places = new ConcurrencyLimit(concurrencyLimit, maxWaiting);
    this.#rpmLimit = rpmLimit;
  }

  /** How long until the limit per minute admits an attempt; 0 when it does now. */
  get rateDelayMs(): number {
    if (this.#startsMs.length < this.#rpmLimit) return 0;
    const oldestMs = this.#startsMs[this.#startCount % this.#rpmLimit] ?? Number.NEGATIVE_INFINITY;
    return Math.max(oldestMs + MINUTE_MS - this.#clock.nowMs(), 0);
  }

  /** Whether both limits admit an attempt now. */
  get admits(): boolean {
    return this.rateDelayMs === 0 && this.#places.hasRoom;
  }

  /** Takes a place; false when a limit forbids it. Pair it with one `release`. */
  tryAcquire(): boolean {
    return this.rateDelayMs === 0 && this.#places.tryAcquire();
  }

  /**
   * Waits for a place under the concurrency limit, which is then taken; see
   * `ConcurrencyLimit.wait`. The limit per minute may forbid an attempt all the same.
   */
  wait(onTurn: () => void): Cleanup | undefined {
    return this.#places.wait(onTurn);
  }

  release(): void {
    this.#places.release();
  }

  /** Counts an attempt that begins now. Taking a place does not: not every place taken is used. */
  noteStart(): void {
    if (this.#rpmLimit === Number.POSITIVE_INFINITY) return;
    this.#startsMs[this.#startCount % this.#rpmLimit] = this.#clock.nowMs();
    this.#startCount += 1;
  }
}

/** The limits of all echelons that have any. */
export class TierLimits {
  readonly #clock: Clock;
  readonly #maxWaiting: number;
  readonly #limits = new Map<string, TierLimit>();

  constructor(clock: Clock, maxWaiting: number) {
    this.#clock = clock;
    this.#maxWaiting = maxWaiting;
  }

  /** The limits of a tier, or undefined when it has none. Tiers of one name share them. */
  find(tier: CandidateTier): TierLimit | undefined {
    const { concurrencyLimit, rpmLimit } = tier.settings;
    if (concurrencyLimit === undefined && rpmLimit === undefined) return undefined;
    let limit = this.#limits.get(tier.name);
    if (limit === undefined) {
      const rpm = rpmLimit ?? Number.POSITIVE_INFINITY;
      limit = new TierLimit(this.#clock, concurrencyLimit, rpm, this.#maxWaiting);
      this.#limits.set(tier.name, limit);
    }
    return limit;
  }
}
