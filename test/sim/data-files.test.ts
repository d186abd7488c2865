import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { nameCommand, readOptions } from "../../sim/cli/options.ts";
import { readTrace } from "../../sim/cli/run-task.ts";
import { bootstrap, meanAt } from "../../sim/report/bootstrap.ts";
import { EventClock } from "../../sim/world/event-clock.ts";
import { generateIncidents, parseIncidents } from "../../sim/world/incidents.ts";
import { DataError } from "../../sim/world/read-json.ts";
import { readScenario, refuseUnknownPlaces, type Scenario } from "../../sim/world/scenario.ts";
import { makeWorkload, parseTrace } from "../../sim/world/workload.ts";

import { ENDPOINTS } from "./sim-bench.ts";

const FOLDER = join(import.meta.dirname, "../../sim/data/scenarios");

describe("the simulator's inputs", () => {
  it("hold every scenario that is asked for, each under its own name", () => {
    const ids = readdirSync(FOLDER).map((name) => readScenario(join(FOLDER, name)).id);
    const wanted = [
      "S0",
      "S1",
      "S2",
      "S3",
      "S4",
      "S5",
      "S6",
      "S7",
      "S8",
      "S9",
      "S10",
      "S13",
      "S14",
      "S15",
      "S15H",
      "S16",
      "S17",
      "S18",
    ];
    expect(ids).to.have.members(wanted);
  });

  it("name the line and the rule of a bad trace and a bad list of incidents", () => {
    expect(() => parseTrace("t,in,out\n0,1,x", "a.csv")).to.throw(DataError, "a.csv:2");
    expect(() => parseIncidents("p,from,to\nz,1,2", "b.csv", ["a"])).to.throw(
      DataError,
      "provider must be one of a",
    );
    expect(() => parseIncidents("p,from,to\na,3,2", "b.csv", ["a"])).to.throw(
      DataError,
      "end after the start",
    );
  });

  it("name the line of a trace without a header, with an empty cell, with parts of tokens", () => {
    expect(() => parseTrace("0,1,2\n2,3,4", "a.csv")).to.throw(DataError, "a.csv:1: must be a header");
    expect(() => parseIncidents("a,1,2", "b.csv", ["a"])).to.throw(DataError, "b.csv:1: must be a header");
    expect(() => parseTrace("t,in,out\n0,,2\n2,3,4", "a.csv")).to.throw(DataError, "a.csv:2");
    expect(() => parseTrace("t,in,out\n0,1.5,2\n2,3,4", "a.csv")).to.throw(DataError, "a.csv:2");
    expect(() => parseTrace("t,in,out\n0,1,2", "a.csv")).to.throw(DataError, "first second");
  });

  it("superpose copies of a trace, begun elsewhere by the seed, and burst as the scenario says", () => {
    const lines = Array.from({ length: 600 }, (_, index) => `${index / 2},${index},20`);
    const rows = parseTrace(["t,in,out", ...lines].join("\n"), "a.csv");
    const calm = readScenario(join(FOLDER, "s0.json"));
    const make = (seed: number, scenario: Scenario, copyCount: number) =>
      makeWorkload(seed, scenario, 4, 600_000, { rows, copyCount });
    const four = make(1, calm, 4);
    expect(four.length).to.be.within(4_760, 4_840);
    const times = four.map(({ arrivalMs }) => arrivalMs);
    expect(times).to.deep.equal(times.toSorted((a, b) => a - b));
    expect(make(1, calm, 4)).to.deep.equal(four);
    expect(make(2, calm, 4).map(({ arrivalMs }) => arrivalMs)).to.not.deep.equal(times);

    const bursts = make(1, readScenario(join(FOLDER, "s9.json")), 1);
    const countFrom = (fromMs: number) =>
      bursts.filter(({ arrivalMs }) => arrivalMs >= fromMs && arrivalMs < fromMs + 20_000).length;
    expect([countFrom(120_000), countFrom(150_000)]).to.deep.equal([120, 40]);
  });

  it("read a trace from its gzip", () => {
    const folder = mkdtempSync(join(tmpdir(), "sim-"));
    const file = join(folder, "a.csv.gz");
    writeFileSync(file, gzipSync("t,in,out\n0,10,20\n1.5,30,40\n"));
    expect(readTrace(file, 1).rows).to.have.lengthOf(2);
    expect(() => readTrace(join(folder, "none.csv"), 1)).to.throw(DataError, "--trace: cannot be read");
    rmSync(folder, { recursive: true });
  });

  it("name the field of a scenario that is misspelt, of the wrong kind, backwards or without a place", () => {
    const folder = mkdtempSync(join(tmpdir(), "sim-"));
    const file = join(folder, "new.json");
    const read = (part: object) => {
      writeFileSync(file, JSON.stringify({ id: "N", title: "New", ...part }));
      const scenario = readScenario(file);
      refuseUnknownPlaces(scenario, ENDPOINTS, file);
      return scenario;
    };
    expect(read({ bad: "b", effects: [{ where: "b/b-max", errorRatio: 1 }] }).bad).to.equal("b");
    for (const [part, message] of [
      [{ fault: { from: 3 } }, "fault.from: unknown; one of fromS, untilS"],
      [{ burst: { every: 3 } }, "burst.every: unknown"],
      [{ restarts: { at: 3 } }, "restarts.at: unknown"],
      [{ misprofile: { low: 3 } }, "misprofile.low: unknown"],
      [{ network: { loss: 1 } }, "network.loss: unknown"],
      [{ fault: { fromS: 1_000 } }, "fault.untilS: must not be less than fromS"],
      [{ misprofile: { lowest: 2 } }, "misprofile.highest: must not be less than lowest"],
      [{ network: { minDelayMs: 500 } }, "network.maxDelayMs: must not be less than minDelayMs"],
      [{ network: { partitionFromS: 5 } }, "network.partitionUntilS: must not be less than partitionFromS"],
      [{ incidents: "yes" }, "incidents: must be true or false"],
      [{ bad: "z" }, "bad: z is unknown; * or one of a, a/a-max"],
      [{ effects: [{ where: "z", errorRatio: 1 }] }, "effects[0].where: z is unknown"],
      [{ effects: [{ where: "b", unpaid: 1 }] }, "effects[0].unpaid: must be true or false"],
      [{ effects: [{ where: "b", fromS: 1_000 }] }, "effects[0].untilS: must not be less than fromS"],
      [{ effects: [{ where: "b", replica: 0.5 }] }, "effects[0].replica: must be a whole number"],
      [{ effects: [{ where: "b", priceFactor: 2, rampS: 9 }] }, "effects[0].priceFactor: goes with neither"],
    ] as const) {
      expect(() => read(part), message).to.throw(DataError, message);
    }
    rmSync(folder, { recursive: true });
  });

  it("repeat a trace until the end of the run", () => {
    const trace = parseTrace("t,in,out\n0,10,20\n1.5,30,40", "a.csv");
    const scenario = readScenario(join(FOLDER, "s0.json"));
    const requests = makeWorkload(1, scenario, 4, 4_000, { rows: trace, copyCount: 1 });
    expect(requests.map(({ arrivalMs }) => arrivalMs)).to.deep.equal([0, 1_500, 1_501, 3_001, 3_002]);
    expect(requests[1]?.promptTokens).to.equal(30);
  });

  it("make up the same arrivals and incidents for the same seed, about 22 requests a second", () => {
    const scenario = readScenario(join(FOLDER, "s0.json"));
    const first = makeWorkload(3, scenario, 8, 60_000, undefined);
    expect(makeWorkload(3, scenario, 8, 60_000, undefined)).to.deep.equal(first);
    expect(first.length).to.be.within(1_150, 1_500);
    expect(generateIncidents(3, ["a", "b"], 1e6)).to.deep.equal(generateIncidents(3, ["a", "b"], 1e6));
  });

  it("refuse options that mean nothing", () => {
    expect(() => readOptions(["--seeds", "5-1"])).to.throw(DataError, "--seeds");
    expect(() => readOptions(["--regime", "wide"])).to.throw(DataError, "--regime");
    expect(() => readOptions(["--policy", "magic"])).to.throw(DataError, "magic is unknown");
    expect(() => readOptions(["--sed", "1"])).to.throw(DataError);
    expect(() => readOptions(["--seeds", "1-3-5"])).to.throw(DataError, "--seeds: 1-3-5 is no range");
    expect(() => readOptions(["--trace-copies", "4"])).to.throw(DataError, "needs --trace");
    expect(readOptions(["--seeds", "1-3,7"]).seeds).to.deep.equal([1, 2, 3, 7]);
  });
});

describe("the simulator's command line", function () {
  this.timeout(60_000);

  it("is named in the report without where the report goes, however that was written", () => {
    const args = [
      "--json=/tmp/a",
      "--seeds",
      "1-2",
      "--jobs=2",
      "--keep",
      "k",
      "--trace",
      "a b.csv",
      "--html",
      "x",
    ];
    expect(nameCommand(args)).to.equal("node sim/run.ts --seeds 1-2 --trace 'a b.csv'");
  });

  it("says what is wrong with a file before it begins, and nothing else", () => {
    for (const [args, message] of [
      [["--trace", "/none/a.csv"], "sim: --trace: cannot be read: ENOENT"],
      [
        ["--outages", "/none/a.csv", "--scenario", "S0"],
        "sim: --outages: none of the scenarios has incidents",
      ],
      [["--json", "/none/a.json"], "sim: --json: /none must be a folder that can be written to"],
    ] as const) {
      const program = join(import.meta.dirname, "../../sim/run.ts");
      const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
        encoding: "utf8",
      });
      expect([status, stdout, stderr.trimEnd().split("\n").length]).to.deep.equal([2, "", 1]);
      expect(stderr).to.match(new RegExp(`^${message}`));
    }
  });
});

describe("the event clock", () => {
  it("fires in order of time and then of setting, and what is cleaned up not at all", () => {
    const clock = new EventClock();
    const log: string[] = [];
    clock.timer(20, () => log.push("c"));
    clock.timer(10, () => log.push("a"));
    clock.timer(10, () => clock.timer(0, () => log.push("b2")));
    clock.timer(10, () => log.push("b"));
    clock.timer(5, () => log.push("never"))();
    clock.runUntil(15);
    expect(log).to.deep.equal(["a", "b", "b2"]);
    expect([clock.nowMs(), clock.pendingCount]).to.deep.equal([15, 1]);
  });
});

describe("the bootstrap", () => {
  it("holds the mean of what does not vary, and an interval around what does", () => {
    expect(bootstrap(5, (at) => meanAt([2, 2, 2, 2, 2], at))).to.deep.equal({ value: 2, low: 2, high: 2 });
    const { value, low, high } = bootstrap(5, (at) => meanAt([1, 2, 3, 4, 5], at));
    expect(value).to.equal(3);
    expect(low).to.be.within(1, 2.5);
    expect(high).to.be.within(3.5, 5);
  });
});
