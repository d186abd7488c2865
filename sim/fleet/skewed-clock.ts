import type { Clock } from "../../src/domain/ports.ts";

/** A replica's own view of time: it began to count at another moment. */
export function skewClock(clock: Clock, offsetMs: number): Clock {
  if (offsetMs === 0) return clock;
  return {
    nowMs: () => clock.nowMs() + offsetMs,
    wallMs: () => clock.wallMs() + offsetMs,
    timer: (delayMs, fn) => clock.timer(delayMs, fn),
  };
}
