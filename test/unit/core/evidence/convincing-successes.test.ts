import { expect } from "chai";
import fc from "fast-check";
import { countConvincingSuccesses } from "../../../../src/core/evidence/convincing-successes.ts";
import { inferFailureRatio, TripSeries } from "../../../../src/core/evidence/trip-statistic.ts";

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

describe("the share of failures that evidence tells of", () => {
  it("is that of the run which the statistic stands on, not of the good time before", () => {
    const series = new TripSeries();
    for (let nowMs = 0; nowMs < 100; nowMs++) series.record(nowMs, "ok");
    expect(series.failureRatio).to.equal(0);
    for (let nowMs = 100; nowMs < 103; nowMs++) series.record(nowMs, "hard");
    expect(series.failureRatio).to.equal(1);
    series.record(103, "ok");
    expect(series.failureRatio).to.be.closeTo(0.75, 1e-9);
  });

  it("is found again in a statistic and the number of its attempts (property)", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 }), (hard, ok) => {
        fc.pre(hard + ok > 0);
        expect(inferFailureRatio(3.22 * hard - 0.67 * ok, hard + ok)).to.be.closeTo(hard / (hard + ok), 1e-9);
      }),
    );
    expect(inferFailureRatio(5, 0)).to.equal(0);
  });
});
