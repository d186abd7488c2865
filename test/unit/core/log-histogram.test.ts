import { expect } from "chai";
import fc from "fast-check";
import { LogHistogram } from "../../../src/core/log-histogram.ts";

describe("the histogram of durations", () => {
  it("knows nothing while it is empty", () => {
    const histogram = new LogHistogram();
    expect([histogram.count, histogram.meanMs, histogram.percentileMs(0.5)]).to.deep.equal([
      0,
      undefined,
      undefined,
    ]);
  });

  it("answers each percentile within 5 % of the exact one (property)", () => {
    const durations = fc.array(fc.double({ min: 0.02, max: 1e7, noNaN: true }), {
      minLength: 1,
      maxLength: 200,
    });
    fc.assert(
      fc.property(durations, fc.constantFrom(0.5, 0.95, 0.99, 1), (samples, ratio) => {
        const histogram = new LogHistogram();
        for (const ms of samples) histogram.record(ms);
        const exact = samples.toSorted((a, b) => a - b)[Math.ceil(ratio * samples.length) - 1] ?? 0;
        expect(histogram.percentileMs(ratio)).to.be.within(exact / 1.05, exact * 1.05);
      }),
    );
  });

  it("counts the same whether two histograms are added or one is filled (property)", () => {
    const durations = fc.array(fc.double({ min: 0, max: 1e10, noNaN: true }), { maxLength: 50 });
    fc.assert(
      fc.property(durations, durations, (left, right) => {
        const [a, b, both] = [new LogHistogram(), new LogHistogram(), new LogHistogram()];
        for (const ms of left) a.record(ms);
        for (const ms of right) b.record(ms);
        for (const ms of [...left, ...right]) both.record(ms);
        a.add(b);
        for (const ratio of [0.1, 0.5, 0.99]) {
          expect(a.percentileMs(ratio)).to.equal(both.percentileMs(ratio));
        }
        expect(a.count).to.equal(both.count);
        expect(a.meanMs ?? 0).to.be.closeTo(both.meanMs ?? 0, 1e-3 * (1 + (both.meanMs ?? 0)));
      }),
    );
  });
});
