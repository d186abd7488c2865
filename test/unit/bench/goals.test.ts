import { expect } from "chai";
import { judgeGoals, type Verdict } from "../../../bench/side-by-side/goals.ts";
import { EMPTY_NODE } from "../../../bench/side-by-side/run-measures.ts";
import type { Sample } from "../../../bench/side-by-side/sample.ts";
import { buildResults } from "./result-builder.ts";

type Cells = Record<string, Record<string, Partial<Sample>>>;

function verdictOf(goalNumber: number, cells: Cells): Verdict | undefined {
  return judgeGoals(buildResults(cells)).find((goal) => goal.goalNumber === goalNumber)?.verdict;
}

const unary = (sluice: number, other: string, cpuUs: number): Cells => ({
  unary: { sluice: { cpuUsPerRequest: sluice }, [other]: { cpuUsPerRequest: cpuUs } },
});
const paced = (streamCount: number, sample: Partial<Sample>): Cells => ({
  [`paced${streamCount}`]: { sluice: sample },
});
const startup = (sluice: number): Cells => ({
  startup: { sluice: { startMs: sluice }, [EMPTY_NODE]: { startMs: 50 } },
});
const latency = (p50: number, p99: number): Cells => ({
  latency: {
    direct: { latencyP50Us: 100, latencyP99Us: 200 },
    sluice: { latencyP50Us: 100 + p50, latencyP99Us: 200 + p99 },
  },
});
const burst = (tokensPerSecond: number, portkey: number): Cells => ({
  stream: { sluice: { tokensPerSecond, cpuRatio: 1 }, portkey: { tokensPerSecond: portkey, cpuRatio: 1 } },
});
const memory = (idle: number, after: number, peak: number): Cells => ({
  unary: { sluice: { idleRssMib: idle, afterRssMib: after } },
  paced1000: { sluice: { peakRssMib: peak } },
});

const CASES: readonly (readonly [goalNumber: number, title: string, cells: Cells, verdict: Verdict])[] = [
  [1, "cost of the minimal proxy", unary(110, "minimal", 100), "moonshot"],
  [1, "a quarter more than the minimal proxy", unary(125, "minimal", 100), "met"],
  [1, "more than that", unary(126, "minimal", 100), "missed"],
  [2, "six hellos", unary(60, "hello", 10), "met"],
  [3, "an eighth of Portkey", unary(100, "portkey", 800), "met"],
  [3, "a twelfth of Portkey", unary(100, "portkey", 1200), "moonshot"],
  [3, "a seventh of Portkey", unary(100, "portkey", 700), "missed"],
  [4, "a third of Connect", unary(100, "connect", 300), "met"],
  [5, "100 us a request", unary(100, "minimal", 1), "met"],
  [5, "120 us a request", unary(120, "minimal", 1), "missed"],
  [6, "little added latency", latency(400, 2_000), "moonshot"],
  [6, "a good median with a bad tail", latency(400, 4_001), "missed"],
  [7, "a fast burst, eight times Portkey", burst(250_000, 31_250), "met"],
  [7, "a fast burst, less than eight times Portkey", burst(400_000, 60_000), "missed"],
  [7, "a slow burst, many times Portkey", burst(200_000, 10_000), "missed"],
  [8, "no backlog", paced(500, { tokensPerSecond: 25_000, tokenP50Us: 200, tokenP99Us: 9_000 }), "met"],
  [
    8,
    "no backlog, a short tail, core to spare",
    paced(500, { tokensPerSecond: 25_000, tokenP50Us: 200, tokenP99Us: 4_000, cpuRatio: 0.7 }),
    "moonshot",
  ],
  [8, "a backlog", paced(500, { tokensPerSecond: 24_000, tokenP50Us: 200, tokenP99Us: 900 }), "missed"],
  [9, "keeping up late", paced(1000, { tokensPerSecond: 49_500, tokenP99Us: 28_000 }), "met"],
  [9, "a backlog", paced(1000, { tokensPerSecond: 49_400, tokenP99Us: 1_000 }), "missed"],
  [10, "little memory", memory(60, 130, 140), "moonshot"],
  [10, "one of three too large", memory(60, 130, 181), "missed"],
  [13, "twice an empty Node", startup(100), "moonshot"],
  [13, "four times an empty Node", startup(200), "missed"],
];

describe("performance goals", () => {
  for (const [goalNumber, title, cells, verdict] of CASES) {
    it(`judges ${title} as ${verdict} for goal ${goalNumber}`, () => {
      expect(verdictOf(goalNumber, cells)).to.equal(verdict);
    });
  }

  it("says that it did not measure what the run lacks, and judges nothing by a guess", () => {
    const goals = judgeGoals(buildResults({}));
    expect(goals).to.have.length(14);
    for (const goal of goals) {
      expect(goal.verdict).to.equal("not measured");
      expect(goal.measured).to.match(/lacks a part|no measure|no workers/);
    }
  });

  it("judges start-up by the compiled form where there is one, and says which it was", () => {
    const cells = { startup: { ...startup(200).startup, "sluice-compiled": { startMs: 100 } } };
    expect(judgeGoals(buildResults(cells))[12]).to.include({
      measured: "2.00x (compiled)",
      verdict: "moonshot",
    });
    expect(judgeGoals(buildResults(startup(200)))[12]).to.include({ measured: "4.00x (from sources)" });
  });

  it("does not judge against a contestant that failed", () => {
    expect(verdictOf(3, { unary: { sluice: { cpuUsPerRequest: 100 } } })).to.equal("not measured");
  });

  it("judges streams by their tokens even when none of them ended in time", () => {
    const late = { tokensPerSecond: 30_000, cpuUsPerRequest: Number.POSITIVE_INFINITY };
    expect(verdictOf(9, paced(1000, late))).to.equal("missed");
  });
});
