import { join } from "node:path";
import { expect } from "chai";
import { type RunResult, type RunTask, runTask } from "../../sim/cli/run-task.ts";
import type { Fleet } from "../../sim/fleet/fleet.ts";
import { CONTESTANTS } from "../../sim/policies/contestants.ts";
import { renderHtml } from "../../sim/report/render-html.ts";
import { renderMarkdown } from "../../sim/report/render-markdown.ts";
import { buildReport, type Report } from "../../sim/report/report.ts";
import { makeEffect, readScenario } from "../../sim/world/scenario.ts";
import { findContestant, runShort } from "./sim-bench.ts";

const FOLDER = join(import.meta.dirname, "../../sim/data/scenarios");

function makeTask(scenario: string, contestant: string, seed: number): RunTask {
  return {
    scenarioFile: join(FOLDER, `${scenario.toLowerCase()}.json`),
    scenario,
    regime: "tight",
    seed,
    contestant,
    untilMs: 10_000,
    trace: undefined,
    traceCopyCount: 1,
    outages: undefined,
    replicaCount: undefined,
  };
}

/** What a run of another contestant gave, as if it were the task's own. */
function pretend(task: RunTask, change: Partial<NonNullable<RunResult["measures"]>>): RunResult {
  const { measures } = runTask({ ...task, contestant: "random" });
  if (measures === undefined) throw new Error("the run is broken");
  return { task, measures: { ...measures, ...change }, violation: undefined };
}

function report(results: readonly RunResult[]): Report {
  const scenarios = [...new Set(results.map(({ task }) => task.scenarioFile))].map(readScenario);
  return buildReport(results, scenarios, "node sim/run.ts");
}

const verdictOf = ({ goals }: Report, scenario: string, text: string) =>
  goals.find((goal) => goal.scenario === scenario && goal.text.startsWith(text))?.verdict;

describe("the report", () => {
  it("has no figures of a fault that a shortened run does not reach, and calls no goal met by them", () => {
    const made = report(["S1", "S2", "S3", "S5"].map((id) => pretend(makeTask(id, "sluice", 1), {})));
    for (const { scenario, text, verdict } of made.goals) {
      if (!text.startsWith("fairness")) expect(verdict, `${scenario} ${text}`).to.equal("not measured");
    }
    expect(made.tables[0]?.rows[0]?.figures.faultSuccessRatio).to.equal(undefined);
    expect(verdictOf(made, "S1", "calls to the failing provider")).to.equal("not measured");
  });

  it("calls a goal missed when what it waits for never came in one of the runs", () => {
    const seen = pretend(makeTask("S1", "sluice", 1), { fleetSuspectMs: 1_000 });
    const unseen = pretend(makeTask("S1", "sluice", 2), { fleetSuspectMs: "never" });
    expect(verdictOf(report([seen]), "S1", "suspect fleet-wide")).to.equal("met");
    const made = report([seen, unseen]);
    expect(verdictOf(made, "S1", "suspect fleet-wide")).to.equal("missed");
    expect(renderMarkdown(made)).to.include("| never in 1 of the runs | **missed** |");
  });

  it("says where the oracle is beaten, and gives no regret where random choice is no worse than it", () => {
    const make = (utilities: Readonly<Record<string, number>>) =>
      report(
        Object.entries(utilities).map(([name, utility]) => pretend(makeTask("S0", name, 1), { utility })),
      );
    const beaten = make({ sluice: 0.9, random: 0.5, oracle: 0.8 });
    expect(beaten.oracleLosses).to.deep.equal(["S0 tight: Sluice, regret -33.3 %"]);
    const useless = make({ sluice: 0.9, random: 0.8, oracle: 0.8 });
    expect(useless.tables[0]?.rows.map(({ regret }) => regret)).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("tells of an exception in a run, with the command that repeats it, and goes on", () => {
    const random: { start: unknown } = findContestant("random");
    const { start } = random;
    try {
      random.start = () => {
        throw new TypeError("x is no function");
      };
      const made = report([runTask(makeTask("S0", "random", 7))]);
      expect(made.violations).to.have.lengthOf(1);
      expect(made.violations[0]?.rule).to.match(/^exception: TypeError: x is no function/);
      expect(made.violations[0]?.replay).to.include("--scenario S0 --regime tight --seeds 7 --policy random");
    } finally {
      random.start = start;
    }
  });

  it("draws no bar over the name of a contestant, as a page that needs nothing else", () => {
    const results = CONTESTANTS.map(({ name }, place) =>
      pretend(makeTask("S0", name, 1), { utility: name === "oracle" ? 0.99 : 0.5 + place / 100 }),
    );
    const page = renderHtml(report(results));
    const leftmost = Math.min(...[...page.matchAll(/<rect x="([\d.]+)"/g)].map(([, x]) => Number(x)));
    const longest = Math.max(...CONTESTANTS.map(({ title }) => title.length));
    // A letter of 12 pixels' height is 6.1 wide on average.
    expect(leftmost).to.be.at.least(longest * 6.1);
    expect(page).to.not.match(/https?:|<script|<link|src=/);
  });
});

describe("the goals", () => {
  it("judge the fairness between replicas wherever none is wronged on purpose", () => {
    const made = report([pretend(makeTask("S9", "sluice", 1), { fairness: 1.06 })]);
    expect(verdictOf(made, "S9", "fairness between replicas")).to.equal("missed");
  });
});

describe("a run", () => {
  it("tells the routers of a price's return too", () => {
    const told: number[] = [];
    const random = findContestant("random");
    const contestant = {
      ...random,
      start(parts: Parameters<typeof random.start>[0]): Fleet {
        const fleet = random.start(parts);
        return Object.assign(fleet, { reloadPrices: ([first = 0]: readonly number[]) => told.push(first) });
      },
    };
    const effects = [makeEffect("a", { fromMs: 2_000, untilMs: 5_000, priceFactor: 3 })];
    runShort("S0", contestant, { seed: 1, untilMs: 10_000, faultFromMs: 1_000, effects });
    expect(told).to.deep.equal([3, 1]);
  });
});
