import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { readOptions } from "../../sim/cli/options.ts";
import { bootstrap, meanAt } from "../../sim/report/bootstrap.ts";
import { EventClock } from "../../sim/world/event-clock.ts";
import { generateIncidents, parseIncidents } from "../../sim/world/incidents.ts";
import { DataError } from "../../sim/world/read-json.ts";
import { readScenario } from "../../sim/world/scenario.ts";
import { makeWorkload, parseTrace } from "../../sim/world/workload.ts";

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

  it("repeat a trace until the end of the run", () => {
    const trace = parseTrace("t,in,out\n0,10,20\n1.5,30,40", "a.csv");
    const scenario = readScenario(join(FOLDER, "s0.json"));
    const requests = makeWorkload(1, scenario, 4, 4_000, trace);
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
    expect(readOptions(["--seeds", "1-3,7"]).seeds).to.deep.equal([1, 2, 3, 7]);
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
