import type { Cleanup, Clock } from "../domain/ports.ts";

/** The least time between two attempts that start. */
export interface StartSpacing {
  readonly clock: Clock;
  /** 0 or more. */
  readonly minIntervalMs: number;
}

/**
 * Counts attempts in flight against a limit, keeps their starts apart, and keeps those
 * who wait in the order of their arrival. Without a limit and a spacing everybody is let in.
 */
export class ConcurrencyLimit {
  readonly #limit: number;
  readonly #maxWaitingCount: number;
  readonly #spacing: StartSpacing | undefined;
  readonly #waiting = new Set<() => void>();
  #inUseCount = 0;
  #nextStartMs = Number.NEGATIVE_INFINITY;
  /** Set while the last start is too fresh for another: the clock alone would change it between two looks. */
  #stopTimer: Cleanup | undefined;

  /** `limit`: 1 or more, undefined for none. `maxWaitingCount`: 0 or more. */
  constructor(limit: number | undefined, maxWaitingCount: number, spacing?: StartSpacing) {
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
    this.#maxWaitingCount = maxWaitingCount;
    this.#spacing = spacing;
  }

  get inUseCount(): number {
    return this.#inUseCount;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Whether `tryAcquire` would take a place now. */
  get hasRoom(): boolean {
    return this.#isFree && this.#waiting.size === 0;
  }

  /** How long a newcomer's turn is away at least, as the spacing has it; 0 without one. */
  get turnDelayMs(): number {
    if (this.#spacing === undefined || this.#stopTimer === undefined) return 0;
    const { clock, minIntervalMs } = this.#spacing;
    return Math.max(this.#nextStartMs - clock.nowMs(), 0) + this.#waiting.size * minIntervalMs;
  }

  /** Takes a place when one is free and nobody waits for it. Give it back with `release`, once. */
  tryAcquire(): boolean {
    if (!this.hasRoom) return false;
    this.#inUseCount += 1;
    return true;
  }

  /**
   * Waits for a place: `onTurn` is called, once, when one was taken for this waiter;
   * it is then in use until `release`. Returns what leaves the queue again, or
   * undefined when the queue is full.
   */
  wait(onTurn: () => void): Cleanup | undefined {
    if (this.#waiting.size >= this.#maxWaitingCount) return undefined;
    const waiter = () => onTurn();
    this.#waiting.add(waiter);
    return () => this.#waiting.delete(waiter);
  }

  /** Counts an attempt that starts now. Taking a place does not: not every place taken is used. */
  noteStart(): void {
    const intervalMs = this.#spacing?.minIntervalMs ?? 0;
    if (this.#spacing === undefined || intervalMs <= 0) return;
    this.#nextStartMs = this.#spacing.clock.nowMs() + intervalMs;
    this.#rest(this.#spacing.clock, intervalMs);
  }

  /** Gives a place back, to the one who waits longest if anybody may start. */
  release(): void {
    this.#inUseCount -= 1;
    this.#admitNext();
  }

  /** Releases the timer. */
  close(): void {
    this.#stopTimer?.();
  }

  get #isFree(): boolean {
    return this.#inUseCount < this.#limit && this.#stopTimer === undefined;
  }

  #rest(clock: Clock, delayMs: number): void {
    this.#stopTimer?.();
    this.#stopTimer = clock.timer(delayMs, () => {
      this.#stopTimer = undefined;
      // A machine's timer may be a moment early.
      const earlyMs = this.#nextStartMs - clock.nowMs();
      if (earlyMs > 0) return this.#rest(clock, earlyMs);
      this.#admitNext();
    });
  }

  #admitNext(): void {
    const [next] = this.#waiting;
    if (next === undefined || !this.#isFree) return;
    this.#waiting.delete(next);
    this.#inUseCount += 1;
    next();
  }
}
