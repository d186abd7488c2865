import { expect } from "chai";
import fc from "fast-check";
import { learnOverflow, learnRatio, NO_CORRECTION } from "../../../src/core/token-correction.ts";

describe("the correction of token estimates", () => {
  it("is the plain mean of the first samples, then forgets", () => {
    let known = NO_CORRECTION;
    for (const counted of [1_000, 2_000, 3_000]) known = learnRatio(known, 1_000, counted);
    expect(known.ratio).to.be.closeTo(2, 1e-9);
    expect(known.sampleCount).to.equal(3);
    for (let index = 0; index < 60; index++) known = learnRatio(known, 1_000, 1_000);
    expect(known.ratio).to.be.closeTo(1, 0.01);
  });

  it("learns nothing from prompts that are too short to say anything", () => {
    expect(learnRatio(NO_CORRECTION, 999, 9_999)).to.equal(NO_CORRECTION);
    for (const none of [0, Number.NaN, -1])
      expect(learnRatio(NO_CORRECTION, 5_000, none)).to.equal(NO_CORRECTION);
    expect(learnRatio(NO_CORRECTION, Number.NaN, 500)).to.equal(NO_CORRECTION);
    expect(learnOverflow(NO_CORRECTION, 10, 1_000)).to.equal(NO_CORRECTION);
  });

  it("stays between a quarter and four times, whatever is counted (property)", () => {
    const count = fc.integer({ min: 0, max: 10_000_000 });
    fc.assert(
      fc.property(fc.array(fc.tuple(count, count)), (samples) => {
        let known = NO_CORRECTION;
        for (const [estimated, counted] of samples) known = learnRatio(known, estimated, counted);
        expect(known.ratio).to.be.within(0.25, 4);
      }),
    );
  });

  it("takes a prompt that was too long for the window as at least that long, and never as shorter", () => {
    const known = learnOverflow(NO_CORRECTION, 800, 1_000);
    expect(known.ratio).to.equal(1.25);
    expect(learnOverflow(known, 900, 1_000)).to.equal(known);
  });
});
