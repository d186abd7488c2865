import type { Cleanup, Clock } from "../../src/domain/ports.ts";

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  fn: (() => void) | undefined;
}

/**
 * Virtual time: a heap of timers, fired in order of time and then of setting. Nothing
 * waits for the machine. A cleaned-up timer stays in the heap, empty, until its time.
 */
export class EventClock implements Clock {
  #nowMs = 0;
  #order = 0;
  #pendingCount = 0;
  readonly #heap: Timer[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  timer(delayMs: number, fn: () => void): Cleanup {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(delayMs, 0), order: this.#order++, fn };
    this.#pendingCount += 1;
    this.#push(timer);
    return () => {
      if (timer.fn === undefined) return;
      timer.fn = undefined;
      this.#pendingCount -= 1;
    };
  }

  /** Timers set and neither fired nor cleaned up. */
  get pendingCount(): number {
    return this.#pendingCount;
  }

  /** Fires everything due until `endMs` and stands there. `afterEach` is called after every event. */
  runUntil(endMs: number, afterEach: () => void = () => {}): void {
    for (let next = this.#heap[0]; next !== undefined && next.dueMs <= endMs; next = this.#heap[0]) {
      this.#pop();
      const { fn } = next;
      if (fn === undefined) continue;
      next.fn = undefined;
      this.#pendingCount -= 1;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      fn();
      afterEach();
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (parent === undefined || !isBefore(timer, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      let child = heap[childAt];
      if (child === undefined) break;
      const right = heap[childAt + 1];
      if (right !== undefined && isBefore(right, child)) {
        childAt += 1;
        child = right;
      }
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
