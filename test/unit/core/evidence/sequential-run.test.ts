import { expect } from "chai";
import fc from "fast-check";
import { TRIP_WEIGHTS } from "../../../../src/core/evidence/outcome-door.ts";
import { SequentialRun } from "../../../../src/core/evidence/sequential-run.ts";

const MEMORY_MS = 5_000;

describe("a sequential run", () => {
  it("is the largest sum of the newest attempts, however many (property)", () => {
    const kinds = fc.array(fc.constantFrom("ok" as const, "hard" as const, "weak" as const), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(kinds, (attempts) => {
        const run = new SequentialRun(MEMORY_MS);
        for (const kind of attempts) {
          run.addAtOnce(1, Number(kind === "ok"), Number(kind === "hard"), Number(kind === "weak"));
        }
        let largest = 0;
        let sum = 0;
        for (const kind of attempts.toReversed()) {
          sum += TRIP_WEIGHTS[kind];
          largest = Math.max(largest, sum);
        }
        expect(run.statistic(1)).to.be.closeTo(largest, 1e-9);
      }),
    );
  });

  it("says of a message what its attempts say one by one where the failures lie evenly", () => {
    const told = new SequentialRun(MEMORY_MS);
    told.addAtOnce(1, 6, 3, 0);
    const seen = new SequentialRun(MEMORY_MS);
    for (let turn = 0; turn < 3; turn++) {
      seen.addAtOnce(1, 2, 0, 0);
      seen.addAtOnce(1, 0, 1, 0);
    }
    expect(told.statistic(1)).to.be.closeTo(seen.statistic(1), 1e-9);
    const counts = told.readCounts(1);
    expect(counts.failureCount).to.equal(3);
    expect(counts.attemptCount).to.equal(7);
  });

  it("takes any number in one message for what their ratio says", () => {
    for (const size of [1, 30, 1e9]) {
      const sound = new SequentialRun(MEMORY_MS);
      sound.addAtOnce(1, 49 * size, size, 0);
      expect(sound.statistic(1)).to.be.closeTo(TRIP_WEIGHTS.hard, 1e-6);
      expect(sound.readCounts(1).failureCount).to.equal(size);
    }
    const failing = new SequentialRun(MEMORY_MS);
    failing.addAtOnce(1, 1e3, 1e3, 0);
    expect(failing.statistic(1)).to.be.greaterThan(1e3);
  });

  it("ends after its memory without evidence, and when it is cleared", () => {
    const run = new SequentialRun(MEMORY_MS);
    run.addAtOnce(1_000, 0, 3, 0);
    expect(run.statistic(6_000)).to.be.closeTo(3 * TRIP_WEIGHTS.hard, 1e-9);
    expect(run.statistic(6_001)).to.equal(0);
    expect(run.readCounts(6_001)).to.deep.equal({ attemptCount: 0, failureCount: 0 });
    run.clear();
    expect(run.statistic(1_000)).to.equal(0);
  });
});
