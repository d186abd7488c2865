import type { Cleanup, Clock } from "../../src/domain/ports.ts";

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly fn: () => void;
  /** Where it is in the heap; -1 when it has fired or was cleaned up. */
  place: number;
}

/**
 * Virtual time: a heap of timers, fired in order of time and then of setting. Nothing
 * waits for the machine. A cleaned-up timer leaves the heap at once: most are, and long before their time.
 */
export class EventClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #heap: Timer[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  timer(delayMs: number, fn: () => void): Cleanup {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(delayMs, 0), order: this.#order++, fn, place: -1 };
    this.#heap.push(timer);
    this.#rise(timer, this.#heap.length - 1);
    return () => {
      if (timer.place >= 0) this.#remove(timer);
    };
  }

  /** Timers set and neither fired nor cleaned up. */
  get pendingCount(): number {
    return this.#heap.length;
  }

  /** Fires everything due until `endMs` and stands there. `afterEach` is called after every event. */
  runUntil(endMs: number, afterEach: () => void = () => {}): void {
    for (let next = this.#heap[0]; next !== undefined && next.dueMs <= endMs; next = this.#heap[0]) {
      this.#remove(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.fn();
      afterEach();
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
  }

  #remove(timer: Timer): void {
    const { place } = timer;
    const last = this.#heap.pop();
    timer.place = -1;
    if (last === undefined || last === timer) return;
    this.#sink(last, place);
    this.#rise(last, last.place);
  }

  /** Puts a timer in a place that is free, or further up where it belongs. */
  #rise(timer: Timer, place: number): void {
    let at = place;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = this.#heap[parentAt];
      if (parent === undefined || !isBefore(timer, parent)) break;
      this.#put(parent, at);
      at = parentAt;
    }
    this.#put(timer, at);
  }

  /** Puts a timer in a place that is free, or further down where it belongs. */
  #sink(timer: Timer, place: number): void {
    let at = place;
    for (;;) {
      let childAt = 2 * at + 1;
      let child = this.#heap[childAt];
      if (child === undefined) break;
      const right = this.#heap[childAt + 1];
      if (right !== undefined && isBefore(right, child)) {
        childAt += 1;
        child = right;
      }
      if (!isBefore(child, timer)) break;
      this.#put(child, at);
      at = childAt;
    }
    this.#put(timer, at);
  }

  #put(timer: Timer, place: number): void {
    this.#heap[place] = timer;
    timer.place = place;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
