import { expect } from "chai";
import fc from "fast-check";
import { EventClock } from "../../sim/world/event-clock.ts";

describe("virtual time", () => {
  it("fires in order of time and then of setting what was not cleaned up, and nothing else (property)", () => {
    const timer = fc.record({ delayMs: fc.nat(400), stopsAtMs: fc.option(fc.nat(40), { nil: Infinity }) });
    fc.assert(
      fc.property(fc.array(timer, { minLength: 30, maxLength: 90 }), fc.nat(400), (timers, endMs) => {
        const clock = new EventClock();
        const fired: number[] = [];
        for (const [index, { delayMs, stopsAtMs }] of timers.entries()) {
          const stop = clock.timer(delayMs, () => fired.push(index));
          // Set after it: of the same moment, the timer comes first.
          if (stopsAtMs < Infinity) clock.timer(stopsAtMs, stop);
        }
        clock.runUntil(endMs);
        const due = timers
          .map(({ delayMs, stopsAtMs }, index) => ({ index, delayMs, stopsAtMs }))
          .filter(({ delayMs, stopsAtMs }) => delayMs <= endMs && delayMs <= stopsAtMs)
          .toSorted((a, b) => a.delayMs - b.delayMs || a.index - b.index);
        expect(fired).to.deep.equal(due.map(({ index }) => index));
        clock.runUntil(400);
        expect(clock.pendingCount).to.equal(0);
      }),
      { numRuns: 500 },
    );
  });
});
