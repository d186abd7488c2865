import { expect } from "chai";
import fc from "fast-check";
import { FAULT_KINDS, type ScheduledFault } from "../../../src/domain/simulation.ts";
import { seededRandom } from "../../../src/lib/random.ts";
import { draw } from "../../../src/providers/simulator/distribution.ts";
import { chooseFault } from "../../../src/providers/simulator/fault-schedule.ts";
import { ModelQuotas } from "../../../src/providers/simulator/model-quotas.ts";
import { FakeClock } from "../../support/fake-clock.ts";

describe("a simulated distribution", () => {
  it("has the median and the 95th percentile that it was given", () => {
    const random = seededRandom(1);
    const draws = Array.from({ length: 20_000 }, () => draw({ median: 200, p95: 900 }, random)).toSorted(
      (a, b) => a - b,
    );
    expect(draws[10_000]).to.be.closeTo(200, 10);
    expect(draws[19_000]).to.be.closeTo(900, 60);
    expect(draws.at(-1)).to.be.at.most(900 * 8);
  });

  it("does not vary without a spread, and takes two numbers all the same", () => {
    for (const p95 of [5, 50]) {
      let count = 0;
      const random = { next: () => ++count / 10 };
      const value = draw({ median: 5, p95 }, random);
      if (p95 === 5) expect(value).to.equal(5);
      expect(count).to.equal(2);
    }
  });
});

describe("a schedule of faults", () => {
  const fault: ScheduledFault = { kind: "hang", fromMs: 100, toMs: 200, ratio: 1, model: "a" };

  it("hits from its beginning to just before its end, and only its model", () => {
    const at = (elapsedMs: number, model = "a") =>
      chooseFault([fault], {}, { elapsedMs, model, chance: 0.5 });
    expect([99, 100, 199, 200].map((ms) => at(ms))).to.deep.equal([undefined, "hang", "hang", undefined]);
    expect(at(150, "b")).to.equal(undefined);
  });

  it("gives each kind its share and leaves the rest alone", () => {
    const shares = FAULT_KINDS.map((kind) => [kind, 0.05]);
    const counts = new Map<unknown, number>();
    for (let index = 0; index < 1_000; index++) {
      const request = { elapsedMs: 0, model: "m", chance: index / 1_000 };
      const kind = chooseFault([], Object.fromEntries(shares), request);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    for (const kind of FAULT_KINDS) expect(counts.get(kind)).to.be.closeTo(50, 1);
    expect(counts.get(undefined)).to.be.closeTo(400, 2);
  });
});

describe("a quota per minute", () => {
  it("never lets more through than the bucket and its refill, and no wait is in vain", async () => {
    const steps = fc.array(fc.record({ afterMs: fc.nat(20_000), tokens: fc.integer({ min: 1, max: 150 }) }));
    await fc.assert(
      fc.asyncProperty(steps, async (requests) => {
        const clock = new FakeClock();
        const startMs = clock.nowMs();
        const quotas = new ModelQuotas({ requestsPerMinute: 5, tokensPerMinute: 100 }, clock);
        let admittedCount = 0;
        for (const { afterMs, tokens } of requests) {
          await clock.advance(afterMs);
          const waitMs = quotas.admit("m", tokens);
          if (waitMs > 0) {
            await clock.advance(waitMs);
            expect(quotas.admit("m", tokens)).to.equal(0);
          }
          admittedCount += 1;
        }
        expect(admittedCount).to.be.at.most(5 + ((clock.nowMs() - startMs) * 5) / 60_000 + 1e-6);
      }),
      { numRuns: 1_000 },
    );
  });
});
