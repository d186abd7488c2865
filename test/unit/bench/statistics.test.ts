import { expect } from "chai";
import fc from "fast-check";
import { median, medianSample, ratio, spreadRatio } from "../../../bench/side-by-side/statistics.ts";

const numbers = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 30 });

describe("benchmark statistics", () => {
  it("takes the middle value, or the mean of the two middle ones", () => {
    expect(median([3, 1, 2])).to.equal(2);
    expect(median([4, 1, 3, 2])).to.equal(2.5);
    expect(median([7])).to.equal(7);
    expect(median([])).to.be.NaN;
  });

  it("has at least half of the values on each side of the median, in whatever order they come", () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const middle = median(values);
        const half = values.length / 2;
        expect(values.filter((value) => value <= middle).length).to.be.at.least(half);
        expect(values.filter((value) => value >= middle).length).to.be.at.least(half);
        expect(median([...values].reverse())).to.equal(middle);
      }),
    );
  });

  it("does not change the list it is given", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).to.deep.equal([3, 1, 2]);
  });

  it("has no ratio where a side is unknown or the base is zero", () => {
    expect(ratio(6, 3)).to.equal(2);
    expect(ratio(6, 0)).to.equal(undefined);
    expect(ratio(undefined, 3)).to.equal(undefined);
    expect(ratio(6, undefined)).to.equal(undefined);
    expect(ratio(Number.NaN, 3)).to.equal(undefined);
  });

  it("tells the spread of repetitions as a share of their median", () => {
    expect(spreadRatio([90, 100, 110])).to.be.closeTo(0.2, 1e-12);
    expect(spreadRatio([100])).to.equal(0);
    expect(spreadRatio([])).to.equal(0);
  });

  it("takes the median of each member by itself", () => {
    const samples = [
      { cpu: 1, latency: 30 },
      { cpu: 3, latency: 10 },
      { cpu: 2, latency: 20 },
    ];
    expect(medianSample(samples)).to.deep.equal({ cpu: 2, latency: 20 });
    expect(medianSample<{ cpu: number }>([])).to.equal(undefined);
  });
});
