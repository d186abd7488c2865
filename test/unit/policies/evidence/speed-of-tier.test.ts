import { expect } from "chai";
import { speedOfTier } from "../../../../src/policies/evidence/speed-of-tier.ts";
import { RouterBench } from "../../../support/router-bench.ts";
import { sampleModel } from "../../../support/sample-catalog.ts";

describe("the speed that a tier declares", () => {
  const rows: [number, number, number][] = [
    [1, 333, 5],
    [2, 577, 9],
    [3, 1_000, 15],
    [4, 1_732, 26],
    [5, 3_000, 45],
  ];
  for (const [tier, firstTokenMs, perTokenMs] of rows) {
    it(`is ${firstTokenMs} ms to the first token and ${perTokenMs} ms per token for tier ${tier}`, () => {
      const { timeToFirstToken, timePerToken } = speedOfTier(tier);
      expect(Math.round(timeToFirstToken.medianMs)).to.equal(firstTokenMs);
      expect(Math.round(timePerToken.medianMs)).to.equal(perTokenMs);
    });
  }

  it("is what the router begins with, before it has measured anything", () => {
    const models = [1, 5].map((speed) => ({
      ...sampleModel(`m${speed}`),
      tiers: { speed, quality: 3, cost: 3 },
    }));
    const { routing, clock } = new RouterBench(models);
    const [fast = 0, slow = 0] = models.map(({ deployments: [deployment] }) =>
      deployment === undefined ? 0 : routing.evidence.view(deployment, clock.nowMs()).ttftMeanMs,
    );
    expect(slow / fast).to.be.closeTo(9, 1e-9);
  });
});
