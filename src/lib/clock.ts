import type { Cleanup, Clock } from "../domain/ports.ts";

/** Longest delay Node's timers take; beyond it they fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's time. Timers longer than 24.8 days fire at 24.8 days. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  timer(delayMs: number, fn: () => void): Cleanup {
    const timer = setTimeout(fn, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
