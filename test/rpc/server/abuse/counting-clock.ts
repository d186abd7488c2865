import type { Clock } from "../../../../src/domain/ports.ts";
import { systemClock } from "../../../../src/lib/clock.ts";

/** The machine's clock, which counts its timers. */
export class CountingClock implements Clock {
  #pendingCount = 0;

  /** Timers set and neither fired nor cleaned up. */
  get pendingCount(): number {
    return this.#pendingCount;
  }

  nowMs(): number {
    return systemClock.nowMs();
  }

  wallMs(): number {
    return systemClock.wallMs();
  }

  timer(delayMs: number, fn: () => void) {
    let isPending = true;
    const settle = (): void => {
      if (isPending) this.#pendingCount--;
      isPending = false;
    };
    this.#pendingCount++;
    const stop = systemClock.timer(delayMs, () => {
      settle();
      fn();
    });
    return () => {
      settle();
      stop();
    };
  }
}
