import { expect } from "chai";
import type { Measures } from "../../sim/report/measure.ts";
import { findContestant, runShort } from "./sim-bench.ts";

const SHORT = { seed: 1, untilMs: 240_000, faultFromMs: 60_000 };
const made = new Map<string, Measures>();

/** A figure that must be there. */
function known(figure: number | undefined): number {
  if (figure === undefined) throw new Error("a figure is missing");
  return figure;
}

/** Runs are repeatable, so each is made once. */
function run(id: string, name: string): Measures {
  const key = `${id} ${name}`;
  const measures = made.get(key) ?? runShort(id, findContestant(name), SHORT);
  made.set(key, measures);
  return measures;
}

describe("the short version of the benchmark", function () {
  this.timeout(60_000);

  it("gives the same figures to the last bit for the same seed", () => {
    expect(runShort("S1", findContestant("sluice"), SHORT)).to.deep.equal(run("S1", "sluice"));
  });

  it("gives other figures for another seed", () => {
    const other = runShort("S0", findContestant("random"), { ...SHORT, seed: 2 });
    expect(other).to.not.deep.equal(run("S0", "random"));
  });

  it("loses nothing to speak of in an outage, where random choice does", () => {
    const ours = run("S1", "sluice");
    expect(ours.faultSuccessRatio).to.be.at.least(0.9995);
    expect(ours.fleetSuspectMs).to.be.at.most(2_000);
    expect(ours.badCallCount).to.be.at.most(80);
    expect(run("S1", "random").faultSuccessRatio).to.be.below(0.99);
  });

  it("finds a hang by its silence, before any attempt times out", () => {
    const ours = run("S2", "sluice");
    expect(ours.faultSuccessRatio).to.be.at.least(0.9995);
    expect(ours.fleetSuspectMs).to.be.at.most(4_000);
    expect(ours.faultP99FirstTokenMs).to.be.at.most(3_000);
  });

  it("finds a limit that was lowered without a word at the cost of few refusals", () => {
    const ours = run("S5", "sluice");
    expect(ours.faultSuccessRatio).to.be.at.least(0.9995);
    expect(ours.limitedPer100).to.be.at.most(0.8);
    expect(ours.limitedPer100).to.be.below(run("S5", "chain").limitedPer100 / 10);
  });

  it("serves bursts beyond all limits a little later instead of refusing them", () => {
    const ours = run("S9", "sluice");
    expect(ours.successRatio).to.be.at.least(0.99);
    expect(ours.limitedPer100).to.be.below(run("S9", "random").limitedPer100 / 4);
    for (const other of ["random", "thompson", "oracle"])
      expect(ours.utility, other).to.be.above(run("S9", other).utility);
  });

  it("is within a twentieth of the way from the oracle to random choice when all is well, and fair", () => {
    const [ours, random, oracle] = ["sluice", "random", "oracle"].map((name) => run("S0", name).utility);
    expect(((oracle ?? 0) - (ours ?? 0)) / ((oracle ?? 0) - (random ?? 0))).to.be.below(0.05);
    expect(run("S0", "sluice").fairness).to.be.at.most(1.02);
  });

  describe("needs", () => {
    it("gossip to know of an outage fleet-wide", () => {
      const { fleetSuspectMs } = run("S1", "no-gossip");
      const alone = fleetSuspectMs === "never" ? Number.POSITIVE_INFINITY : known(fleetSuspectMs);
      const together = run("S1", "sluice").fleetSuspectMs;
      if (together === "never") throw new Error("the outage was never seen");
      expect(alone).to.be.greaterThan(3 * known(together));
      expect(run("S1", "no-gossip").faultSuccessRatio).to.be.below(0.995);
    });

    it("hedging for the first token's tail in a hang", () => {
      const slow = run("S2", "no-hedging").faultP99FirstTokenMs;
      expect(slow).to.be.greaterThan(3 * known(run("S2", "sluice").faultP99FirstTokenMs));
    });

    it("shared quota use to keep from refusals", () => {
      const refused = run("S0", "no-quota-sharing").limitedPer100;
      expect(refused).to.be.greaterThan(run("S0", "sluice").limitedPer100 + 0.5);
    });

    it("the trip test to keep from a gray failure", () => {
      const wasted = run("S3", "no-trip-test").faultWastedPer100;
      expect(wasted).to.be.greaterThan(2 * known(run("S3", "sluice").faultWastedPer100));
    });
  });
});
