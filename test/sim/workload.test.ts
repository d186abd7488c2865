import { expect } from "chai";
import { makeWorkload } from "../../sim/world/workload.ts";
import { readScenarioById } from "./sim-bench.ts";

const RUN_MS = 1_800_000;
const SEEDS = Array.from({ length: 10 }, (_, index) => index + 1);

/** How much more the counts of so many seconds vary than those of a steady rate would; 1 for that. */
function measureDispersion(arrivalsMs: readonly number[], windowMs: number): number {
  const counts = Array.from({ length: Math.floor(RUN_MS / windowMs) }, () => 0);
  for (const ms of arrivalsMs) {
    const window = Math.floor(ms / windowMs);
    counts[window] = (counts[window] ?? 0) + 1;
  }
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length / mean;
}

// The figures are those of the Azure conversation trace of 2023, four of it at once.
describe("the arrivals that are made up", () => {
  const runs = SEEDS.map((seed) => makeWorkload(seed, readScenarioById("S0"), 8, RUN_MS, undefined));
  const all = runs.flat();

  it("have the lengths of the trace", () => {
    const quantilesOf = (lengths: readonly number[]) => {
      const sorted = lengths.toSorted((a, b) => a - b);
      return [0.05, 0.5, 0.9, 0.99].map((share) => sorted[Math.floor(share * sorted.length)] ?? 0);
    };
    const compare = (found: readonly number[], wanted: readonly number[]) => {
      for (const [index, tokens] of wanted.entries())
        expect((found[index] ?? 0) / tokens, `${tokens}`).to.be.within(0.97, 1.03);
    };
    compare(quantilesOf(all.map(({ promptTokens }) => promptTokens)), [181, 1_020, 2_734, 4_142]);
    compare(quantilesOf(all.map(({ outputTokens }) => outputTokens)), [41, 129, 424, 601]);
  });

  it("come as often as in the trace, and vary as much as there within ten seconds and a minute", () => {
    expect(all.length / SEEDS.length / (RUN_MS / 1_000)).to.be.within(20.5, 23.5);
    const meanOf = (windowMs: number) =>
      runs.reduce((sum, run) => {
        const arrivalsMs = run.map(({ arrivalMs }) => arrivalMs);
        return sum + measureDispersion(arrivalsMs, windowMs) / SEEDS.length;
      }, 0);
    // In half an hour of the trace's hour: 3.9 and 16 over the whole hour.
    expect(meanOf(10_000)).to.be.within(2.5, 4.5);
    expect(meanOf(60_000)).to.be.within(9, 18);
  });

  it("come three times as often in a burst, and in order", () => {
    const scenario = readScenarioById("S9");
    const { everyMs, lengthMs } = scenario.burst;
    let burstCount = 0;
    let otherCount = 0;
    for (const seed of SEEDS) {
      let beforeMs = 0;
      for (const { arrivalMs } of makeWorkload(seed, scenario, 8, RUN_MS, undefined)) {
        expect(arrivalMs).to.be.at.least(beforeMs);
        beforeMs = arrivalMs;
        if (arrivalMs % everyMs < lengthMs) burstCount += 1;
        else otherCount += 1;
      }
    }
    const ratio = burstCount / lengthMs / (otherCount / (everyMs - lengthMs));
    expect(ratio).to.be.within(2.85, 3.15);
  });
});
