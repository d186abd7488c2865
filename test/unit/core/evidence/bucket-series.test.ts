import { expect } from "chai";
import fc from "fast-check";
import { BucketSeries, COUNTERS, type SeriesValue } from "../../../../src/core/evidence/bucket-series.ts";
import { findSeriesProblem } from "../../../../src/core/evidence/check-series.ts";

const anyCounter = fc.constantFrom(...COUNTERS);

function seriesOf(...events: readonly (readonly [nowMs: number, amount?: number])[]): BucketSeries {
  const series = new BucketSeries();
  for (const [nowMs, amount = 1] of events) series.record(nowMs, "ok", amount);
  return series;
}

describe("the counters in buckets of time", () => {
  it("sums what happened in a window, to one bucket", () => {
    const series = seriesOf([10_000], [11_500, 2], [14_000, 4]);
    expect(series.sum(14_000, 2_000, "ok")).to.equal(4);
    expect(series.sum(14_000, 5_000, "ok")).to.equal(7);
    expect(series.sum(16_500, 5_000, "ok")).to.equal(4);
    expect(series.sum(14_000, 5_000, "hard")).to.equal(0);
  });

  it("forgets by time, without any traffic", () => {
    const series = seriesOf([10_000]);
    expect([series.sum(24_000, 15_000, "ok"), series.sum(26_000, 15_000, "ok")]).to.deep.equal([1, 0]);
    expect([series.sum(125_000, 120_000, "ok"), series.sum(135_000, 120_000, "ok")]).to.deep.equal([1, 0]);
  });

  it("agrees with a list of all events, to one bucket at the far end of the window (property)", () => {
    const events = fc.array(fc.tuple(fc.nat(40_000), fc.nat(9)), { maxLength: 60 });
    fc.assert(
      fc.property(events, fc.constantFrom(2, 5, 15, 60, 120), (gaps, seconds) => {
        const windowMs = seconds * 1_000;
        const bucketMs = windowMs <= 15_000 ? 1_000 : 5_000;
        const series = new BucketSeries();
        const seen: [number, number][] = [];
        let nowMs = 0;
        for (const [gapMs, amount] of gaps) {
          nowMs += gapMs;
          series.record(nowMs, "hard", amount);
          seen.push([nowMs, amount]);
        }
        const since = (ms: number) =>
          seen.filter(([atMs]) => atMs > nowMs - ms).reduce((sum, [, amount]) => sum + amount, 0);
        expect(series.sum(nowMs, windowMs, "hard")).to.be.within(since(windowMs - bucketMs), since(windowMs));
      }),
    );
  });

  it("moves no sum by more than a bucket when the clock jumps back by 5 s (property)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(300), { maxLength: 40 }),
        fc.integer({ min: 0, max: 5_000 }),
        (gaps, jumpMs) => {
          const [steady, jumped] = [new BucketSeries(), new BucketSeries()];
          let nowMs = 100_000;
          for (const [position, gapMs] of gaps.entries()) {
            nowMs += gapMs;
            steady.record(nowMs, "ok", 1);
            jumped.record(position % 2 === 0 ? nowMs : nowMs - jumpMs, "ok", 1);
          }
          for (const windowMs of [2_000, 15_000, 120_000]) {
            const [lower, upper] = [windowMs - 1_000, windowMs + 1_000].map((ms) =>
              steady.sum(nowMs, ms, "ok"),
            );
            expect(jumped.sum(nowMs - jumpMs, windowMs, "ok")).to.be.within(
              lower ?? 0,
              Math.max(upper ?? 0, gaps.length),
            );
          }
          expect(jumped.sum(nowMs, 120_000, "ok")).to.equal(steady.sum(nowMs, 120_000, "ok"));
        },
      ),
    );
  });

  it("stays finite and never below 0 for any times and amounts (property)", () => {
    const wild = fc.oneof(fc.double(), fc.integer());
    fc.assert(
      fc.property(fc.array(fc.tuple(wild, anyCounter, wild)), wild, (events, nowMs) => {
        const series = new BucketSeries();
        for (const [atMs, counter, amount] of events) {
          if (Math.abs(amount) < 1e300) series.record(atMs, counter, amount);
        }
        const sums = new Float64Array(5);
        series.addTripSums(nowMs, 1, sums);
        for (const sum of sums) expect(Number.isFinite(sum)).to.equal(true);
        for (const counter of COUNTERS) expect(series.sum(nowMs, 120_000, counter)).to.be.at.least(0);
      }),
    );
  });

  it("sums all counters at once as it sums each (property)", () => {
    const events = fc.array(fc.tuple(fc.nat(9_000), anyCounter, fc.nat(9)), { maxLength: 40 });
    fc.assert(
      fc.property(events, fc.nat(39), fc.constantFrom(2_000, 15_000, 60_000), (gaps, voidedAt, windowMs) => {
        const series = new BucketSeries();
        let nowMs = 0;
        for (const [position, [gapMs, counter, amount]] of gaps.entries()) {
          nowMs += gapMs;
          series.record(nowMs, counter, amount);
          if (position === voidedAt) series.voidUntil(nowMs);
        }
        const sums = new Float64Array(COUNTERS.length).fill(1);
        series.sumCounters(nowMs, windowMs, sums);
        expect([...sums]).to.deep.equal(COUNTERS.map((counter) => series.sum(nowMs, windowMs, counter)));
      }),
    );
  });

  it("leaves out what was voided, and counts on after it", () => {
    const series = seriesOf([10_000]);
    series.voidUntil(10_000);
    series.record(15_000, "ok", 1);
    expect([series.sum(15_000, 15_000, "ok"), series.sum(15_000, 120_000, "ok")]).to.deep.equal([1, 1]);
    expect(series.toValue().fine).to.have.length(2);
  });

  describe("from outside", () => {
    const good: SeriesValue = seriesOf([10_000], [12_000]).toValue();
    const [first] = good.fine;
    if (first === undefined) throw new Error("the sample has buckets");
    const withFirst = (change: object): SeriesValue => ({ ...good, fine: [{ ...first, ...change }] });
    const valuesWith = (counter: number, value: number) =>
      first.values.map((v, i) => (i === counter ? value : v));

    it("are accepted as they were sent", () => {
      expect(findSeriesProblem(good, 12_000)).to.equal(undefined);
    });

    const rows: [string, SeriesValue, number, RegExp][] = [
      ["a time of sending that is no number", good, Number.NaN, /^sentMs: must be a finite number/],
      ["a bucket of the future", good, 11_999, /^fine\[1\]\.index: lies after the time of sending/],
      ["a broken index", withFirst({ index: 1.5 }), 12_000, /^fine\[0\]\.index: must be a whole number/],
      [
        "a bucket that stands twice",
        { ...good, fine: [first, first] },
        12_000,
        /^fine\[1\]\.index: stands twice/,
      ],
      ["missing counters", withFirst({ values: [1] }), 12_000, /^fine\[0\]\.values: must be 7 counters/],
      [
        "a negative count",
        withFirst({ values: valuesWith(2, -1) }),
        12_000,
        /values\.hard: must be a whole number from 0/,
      ],
      ["a count that is no number", withFirst({ values: valuesWith(1, Number.NaN) }), 12_000, /values\.ok: /],
      ["an absurd count", withFirst({ values: valuesWith(0, 100_001) }), 12_000, /started: .* 0 to 100000/],
      [
        "absurd tokens",
        withFirst({ values: valuesWith(6, 2e9) }),
        12_000,
        /settledTokens: .* 0 to 1000000000/,
      ],
      [
        "too many buckets",
        { ...good, coarse: Array.from({ length: 26 }, (_, index) => ({ ...first, index })) },
        1e9,
        /^coarse: has 26 buckets, at most 25/,
      ],
    ];
    for (const [name, value, sentMs, problem] of rows) {
      it(`are refused with ${name}`, () => {
        expect(findSeriesProblem(value, sentMs)).to.match(problem);
      });
    }
  });
});
