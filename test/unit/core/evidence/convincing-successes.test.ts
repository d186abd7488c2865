import { expect } from "chai";
import { countConvincingSuccesses } from "../../../../src/core/evidence/convincing-successes.ts";
import { TripSeries } from "../../../../src/core/evidence/trip-statistic.ts";

describe("how many successes convince", () => {
  const rows: [number, number, number][] = [
    [1, 2, 2],
    [0.9, 2, 2],
    [0.5, 2, 4],
    [0.3, 2, 7],
    [0.3, 1, 7],
    [0.05, 2, 10],
    [0, 2, 10],
    [Number.NaN, 2, 10],
  ];
  for (const [failureRatio, least, count] of rows) {
    it(`is ${count} against ${failureRatio} failures, ${least} at the least`, () => {
      expect(countConvincingSuccesses(failureRatio, least)).to.equal(count);
    });
  }
});

describe("what the run of evidence holds on which the statistic stands", () => {
  it("is the attempts since it was last 0, not those of the good time before", () => {
    const series = new TripSeries();
    for (let nowMs = 0; nowMs < 100; nowMs++) series.record(nowMs, "ok");
    expect(series.readRun(100)).to.deep.equal({ attemptCount: 0, failureCount: 0 });
    for (let nowMs = 100; nowMs < 103; nowMs++) series.record(nowMs, "hard");
    series.record(103, "ok");
    series.record(104, "weak");
    expect(series.readRun(104)).to.deep.equal({ attemptCount: 4.5, failureCount: 3.5 });
    expect(series.readRun(104 + 120_001)).to.deep.equal({ attemptCount: 0, failureCount: 0 });
  });
});
