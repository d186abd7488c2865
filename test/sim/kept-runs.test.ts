import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { KeptRuns } from "../../sim/cli/kept-runs.ts";
import { type RunTask, runTask } from "../../sim/cli/run-task.ts";
import { runTasks } from "../../sim/cli/run-tasks.ts";
import { CONTESTANTS, findContestant, VARIANTS } from "../../sim/policies/contestants.ts";
import { listVariants, nameParameters, TUNABLE_BASELINES } from "../../sim/policies/tunable.ts";
import { readTuned } from "../../sim/policies/tuned.ts";
import { judgeSweep } from "../../sim/report/judge-sweep.ts";
import { DataError } from "../../sim/world/read-json.ts";

const TASK: RunTask = {
  scenarioFile: join(import.meta.dirname, "../../sim/data/scenarios/s0.json"),
  scenario: "S0",
  regime: "tight",
  seed: 1,
  contestant: "random",
  untilMs: 20_000,
  trace: undefined,
  traceCopyCount: 1,
  outages: undefined,
  replicaCount: undefined,
};

describe("runs that are kept", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "sim-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("are not made again, and give the same results as those that are", async () => {
    const file = join(folder, "runs.jsonl");
    const tasks = [1, 2, 3].map((seed) => ({ ...TASK, seed }));
    const fresh = await runTasks(tasks, 1, undefined, () => {});
    await runTasks(tasks.slice(1, 2), 1, new KeptRuns(file), () => {});
    const kept = new KeptRuns(file);
    let madeCount = 0;
    const watch = {
      find: (task: RunTask) => kept.find(task),
      keep() {
        madeCount += 1;
      },
    };
    const results = await runTasks(tasks, 1, watch, () => {});
    expect(JSON.stringify(results)).to.equal(JSON.stringify(fresh));
    expect(madeCount).to.equal(2);
  });

  it("are refused by line when the file is not one of theirs", () => {
    const file = join(folder, "other.jsonl");
    writeFileSync(file, "{}\n");
    expect(() => new KeptRuns(file)).to.throw(DataError, "other.jsonl:1.run");
    writeFileSync(file, "no\n");
    expect(() => new KeptRuns(file)).to.throw(DataError, "other.jsonl:1");
  });
});

describe("a sweep of the baselines' figures", () => {
  it("tries what is published first, and every combination once", () => {
    for (const each of TUNABLE_BASELINES) {
      const names = listVariants(each).map(nameParameters);
      expect(new Set(names).size, each.name).to.equal(names.length);
      for (const [figure, value] of Object.entries(listVariants(each)[0] ?? {})) {
        expect(value, `${each.name}.${figure}`).to.equal(each.published[figure]);
      }
    }
    expect(new Set(VARIANTS.map(({ name }) => name)).size).to.equal(VARIANTS.length);
  });

  it("finds the figures with the best utility", () => {
    const contestants = VARIANTS.filter(({ name }) => name.startsWith("peak-ewma@"));
    const results = contestants.map(({ name }) => runTask({ ...TASK, contestant: name }));
    const { baselines } = judgeSweep(results, "");
    expect(Object.keys(baselines)).to.deep.equal(["peak-ewma"]);
    const best = Math.max(...results.map(({ measures }) => measures?.utility ?? 0));
    expect(baselines["peak-ewma"]?.bestUtility).to.be.closeTo(best, 1e-5);
    expect(Object.keys(baselines["peak-ewma"]?.utilities ?? {})).to.have.lengthOf(contestants.length);
  });

  it("has left figures for every baseline, and those are what takes part", () => {
    const tuned = readTuned();
    for (const { name, title } of TUNABLE_BASELINES) {
      const figures = tuned.get(name);
      expect(figures, name).to.not.equal(undefined);
      expect(findContestant(name)?.title).to.equal(`${title} (${nameParameters(figures ?? {})})`);
    }
    expect(CONTESTANTS.map(({ name }) => name)).to.include.members(TUNABLE_BASELINES.map(({ name }) => name));
  });
});
