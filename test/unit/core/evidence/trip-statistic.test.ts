import { expect } from "chai";
import fc from "fast-check";
import type { EvidenceKind } from "../../../../src/core/evidence/outcome-door.ts";
import { TRIP_THRESHOLD, TripSeries } from "../../../../src/core/evidence/trip-statistic.ts";
import { seededRandom } from "../../../../src/lib/random.ts";

const anyKind = fc.constantFrom<EvidenceKind>("ok", "hard", "weak", "limited", "credential", "none");

/** How many attempts at a sick deployment it takes, after some good ones, to trip. */
function countUntilTrip(errorRatio: number, gapMs: number, goodCount: number, seed: number): number {
  const random = seededRandom(seed);
  const series = new TripSeries();
  let nowMs = 1_000_000;
  for (let good = 0; good < goodCount; good++) {
    nowMs += gapMs;
    series.record(nowMs, "ok");
  }
  for (let count = 1; ; count++) {
    nowMs += gapMs * 2 * random.next();
    series.record(nowMs, random.next() < errorRatio ? "hard" : "ok");
    if (series.statistic(nowMs) >= TRIP_THRESHOLD) return count;
  }
}

describe("the trip statistic", () => {
  it("trips at three hard failures in a row, not at two", () => {
    const series = new TripSeries();
    series.record(0, "hard");
    series.record(40_000, "hard");
    expect(series.statistic(40_000)).to.be.closeTo(6.44, 1e-9);
    series.record(80_000, "hard");
    expect(series.statistic(80_000)).to.be.closeTo(9.66, 1e-9);
  });

  it("forgets by time: what is two minutes old and followed by nothing says nothing", () => {
    const series = new TripSeries();
    for (const nowMs of [0, 1_000]) series.record(nowMs, "hard");
    expect(series.statistic(100_000)).to.be.closeTo(6.44, 1e-9);
    expect(series.statistic(130_000)).to.equal(0);
    series.record(130_000, "hard");
    expect(series.statistic(130_000)).to.be.closeTo(3.22, 1e-9);
  });

  it("starts anew when it is cleared", () => {
    const series = new TripSeries();
    for (const nowMs of [0, 1_000, 2_000]) series.record(nowMs, "hard");
    series.clear();
    expect(series.statistic(2_000)).to.equal(0);
  });

  for (const gapMs of [20, 250, 2_000, 20_000]) {
    it(`sees a dead deployment after at most 4 failures, one per ${gapMs} ms, without a success`, () => {
      expect(countUntilTrip(1, gapMs, 0, 1)).to.be.at.most(4);
    });
  }

  for (const gapMs of [50, 200, 1_000, 2_000]) {
    it(`sees 30 % errors within 40 requests at p95, after 200 good ones, one per ${gapMs} ms`, () => {
      const counts = Array.from({ length: 1_000 }, (_, seed) => countUntilTrip(0.3, gapMs, 200, seed));
      expect(counts.toSorted((a, b) => a - b)[949]).to.be.at.most(40);
    });
  }

  it("does not trip in 10^6 requests at 0.3 % background errors", function () {
    this.timeout(10_000);
    const random = seededRandom(7);
    let trips = 0;
    // Rates from one request in five seconds to a hundred per second.
    for (const gapMs of [10, 100, 1_000, 5_000]) {
      const series = new TripSeries();
      let nowMs = 0;
      for (let request = 0; request < 250_000; request++) {
        nowMs += gapMs * 2 * random.next();
        const failed = random.next() < 0.003;
        series.record(nowMs, failed ? "hard" : "ok");
        if (failed && series.statistic(nowMs) >= TRIP_THRESHOLD) trips += 1;
      }
    }
    expect(trips).to.equal(0);
  });

  it("is never lowered by a failure, never raised by a success, and unmoved by the rest (property)", () => {
    const events = fc.array(fc.tuple(fc.nat(3_000), anyKind), { maxLength: 60 });
    fc.assert(
      fc.property(events, anyKind, (history, kind) => {
        const series = new TripSeries();
        let nowMs = 0;
        for (const [gapMs, each] of history) {
          nowMs += gapMs;
          series.record(nowMs, each);
        }
        const before = series.statistic(nowMs);
        series.record(nowMs, kind);
        const change = series.statistic(nowMs) - before;
        if (kind === "hard" || kind === "weak") expect(change).to.be.at.least(0);
        else if (kind === "ok") expect(change).to.be.at.most(0);
        else expect(change).to.equal(0);
      }),
    );
  });

  it("is finite and at least 0 for any times (property)", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.double(), anyKind)), fc.double(), (history, nowMs) => {
        const series = new TripSeries();
        for (const [atMs, kind] of history) series.record(atMs, kind);
        expect(series.statistic(nowMs)).to.be.within(0, 1e6);
      }),
    );
  });
});
