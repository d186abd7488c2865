import { expect } from "chai";
import type { FallbackRecord } from "../../../src/domain/metrics.ts";
import { ScopeStatistics } from "../../../src/policies/scope-statistics.ts";

const MEMBERS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["group g", new Set(["p/a", "q/b"])],
  ["echelon g.echelon1", new Set(["p/a"])],
  ["pool pool1", new Set(["q/b"])],
]);

const everyone = () => true;

function fallback(atWallMs: number): FallbackRecord {
  return { from: "p/a", to: "q/b", outcome: "timeout", atWallMs };
}

describe("the statistics of scopes", () => {
  it("count total and successful requests once in each scope a request went through", () => {
    const statistics = new ScopeStatistics(MEMBERS);
    statistics.recordRequest(["group g", "echelon g.echelon1", "group g"], true);
    statistics.recordRequest(["group g"], false);
    expect(statistics.report("group g", everyone)).to.deep.equal({
      scope: "group g",
      totalRequestCount: 2,
      successfulRequestCount: 1,
      successRatio: 0.5,
      healthyInstanceCount: 2,
      totalInstanceCount: 2,
      fallbackCount: 0,
      fallbacks: [],
    });
    expect(statistics.report("echelon g.echelon1", everyone)).to.deep.include({
      totalRequestCount: 1,
      successRatio: 1,
    });
    expect(statistics.report("pool pool1", everyone)).to.deep.include({
      totalRequestCount: 0,
      successRatio: undefined,
    });
  });

  it("count healthy and total instances at the moment of the report", () => {
    const statistics = new ScopeStatistics(MEMBERS);
    const report = statistics.report("group g", (id) => id === "q/b");
    expect(report).to.deep.include({ healthyInstanceCount: 1, totalInstanceCount: 2 });
  });

  it("keep the last 100 fallbacks, the oldest first, and count all", () => {
    const statistics = new ScopeStatistics(MEMBERS);
    for (let index = 1; index <= 250; index++)
      statistics.recordFallback(["group g", "nowhere"], fallback(index));
    const report = statistics.report("group g", everyone);
    expect(report?.fallbackCount).to.equal(250);
    expect(report?.fallbacks.map(({ atWallMs }) => atWallMs)).to.deep.equal(
      Array.from({ length: 100 }, (_, index) => 151 + index),
    );
    expect(report?.fallbacks[0]).to.deep.equal(fallback(151));
  });

  it("do not change a report that was given out", () => {
    const statistics = new ScopeStatistics(MEMBERS);
    statistics.recordFallback(["group g"], fallback(1));
    const before = statistics.report("group g", everyone);
    statistics.recordFallback(["group g"], fallback(2));
    expect(before?.fallbacks).to.have.lengthOf(1);
  });

  it("begin a scope anew on reset and leave the others alone", () => {
    const statistics = new ScopeStatistics(MEMBERS);
    statistics.recordRequest(["group g", "echelon g.echelon1"], true);
    statistics.recordFallback(["group g"], fallback(1));
    expect(statistics.reset("group g")).to.equal(true);
    expect(statistics.report("group g", everyone)).to.deep.include({
      totalRequestCount: 0,
      fallbackCount: 0,
    });
    expect(statistics.report("echelon g.echelon1", everyone)?.totalRequestCount).to.equal(1);
  });

  it("know only configured scopes", () => {
    const statistics = new ScopeStatistics(MEMBERS);
    statistics.recordRequest(["group unknown"], true);
    expect(statistics.report("group unknown", everyone)).to.equal(undefined);
    expect(statistics.reset("group unknown")).to.equal(false);
    expect(statistics.reportAll(everyone).map(({ scope }) => scope)).to.deep.equal([...MEMBERS.keys()]);
  });

  it("keep their counts over a new configuration, and forget scopes that are gone", () => {
    const statistics = new ScopeStatistics(MEMBERS);
    statistics.recordRequest(["group g", "pool pool1"], true);
    statistics.configure(new Map([["group g", new Set(["p/a"])]]));
    expect(statistics.report("group g", everyone)).to.deep.include({
      totalRequestCount: 1,
      totalInstanceCount: 1,
    });
    statistics.configure(MEMBERS);
    expect(statistics.report("pool pool1", everyone)?.totalRequestCount).to.equal(0);
  });
});
