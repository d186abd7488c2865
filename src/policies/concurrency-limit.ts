import type { Cleanup } from "../domain/ports.ts";

/**
 * Counts attempts in flight against a limit, and keeps those who wait in the order
 * of their arrival. Without a limit everybody is let in.
 */
export class ConcurrencyLimit {
  readonly #limit: number;
  readonly #maxWaitingCount: number;
  readonly #waiting = new Set<() => void>();
  #inUseCount = 0;

  /** `limit`: 1 or more, undefined for none. `maxWaitingCount`: 0 or more. */
  constructor(limit: number | undefined, maxWaitingCount: number) {
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
    this.#maxWaitingCount = maxWaitingCount;
  }

  get inUseCount(): number {
    return this.#inUseCount;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Whether `tryAcquire` would take a place now. */
  get hasRoom(): boolean {
    return this.#inUseCount < this.#limit && this.#waiting.size === 0;
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

  /** Gives a place back, to the one who waits longest if anybody does. */
  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#inUseCount -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
