import { expect } from "chai";
import {
  expectCostNanoUsd,
  expectFirstTokenMs,
  expectMedianMs,
  expectTotalMs,
  guessCostNanoUsd,
} from "../../../../src/core/choice/expectation.ts";
import { type InputOptions, sampleInput, type ViewChanges, viewOf } from "./choice-bench.ts";

const { settings, demands } = sampleInput([], { promptTokens: 1_000 });

describe("what an attempt is expected to take", () => {
  it("is the time to the first token, what the prompt adds, and the time of the answer's tokens", () => {
    const view = viewOf("m", { ttftMeanMs: 500, tpotMs: 10 });
    expect(expectFirstTokenMs(view, demands, settings)).to.be.closeTo(520, 1e-9);
    expect(expectTotalMs(view, demands, settings)).to.be.closeTo(520 + 400 * 10, 1e-9);
  });

  it("grows with the square of the attempts per place once the places are full", () => {
    const at = (inFlightCount: number) =>
      expectFirstTokenMs(
        viewOf("m", { ttftMeanMs: 500, inFlightCount }, { concurrencyLimit: 2 }),
        demands,
        settings,
      );
    expect([at(0), at(1), at(3)]).to.deep.equal([520, 520, 2_020]);
  });

  it("is, for half of the answers, the median of the log-normal and not its mean", () => {
    const at = (changes: ViewChanges) =>
      expectMedianMs(viewOf("m", { ttftMeanMs: 1_000, tpotMs: 0, ...changes }), demands, settings);
    expect(at({ ttftLogDeviation: 0 })).to.be.closeTo(1_020, 1e-9);
    expect(at({ ttftLogDeviation: 1 })).to.be.closeTo(1_000 * Math.exp(-0.5) + 20, 1e-9);
  });

  it("counts on no longer an answer than the caller allows, nor than the task usually needs", () => {
    const tokensOf = (options: InputOptions) => sampleInput([], options).demands.expectedOutputTokens;
    expect(tokensOf({})).to.equal(400);
    expect(tokensOf({ request: { sampling: { maxOutputTokens: 50 } } })).to.equal(50);
    expect(tokensOf({ task: "classification", request: { sampling: { maxOutputTokens: 50 } } })).to.equal(20);
    expect(tokensOf({ task: "classification", request: { taskType: "reasoning" } })).to.equal(900);
  });
});

describe("what an attempt is expected to cost", () => {
  it("is the prompt's and the answer's tokens at their prices", () => {
    const view = viewOf("m", {}, { price: { inputNanoUsd: 1e9, outputNanoUsd: 2e9 } });
    expect(expectCostNanoUsd(view, demands)).to.equal(1_000 * 1_000 + 400 * 2_000);
  });

  it("is by the deployment's own list in US dollars, else by its model's, whatever it is billed in", () => {
    const view = viewOf("m", {}, { price: { inputNanoUsd: 1e9, outputNanoUsd: 2e9 } });
    const bands = [
      { belowInputTokens: 1_000, inputNano: 9e9, outputNano: 9e9 },
      { inputNano: 3e9, outputNano: 4e9 },
    ];
    const priced = (currency: "USD" | "CNY") => ({
      ...view,
      deployment: { ...view.deployment, price: { currency, bands } },
    });
    expect(expectCostNanoUsd(priced("USD"), demands)).to.equal(1_000 * 3_000 + 400 * 4_000);
    expect(expectCostNanoUsd(priced("CNY"), demands)).to.equal(1_000 * 1_000 + 400 * 2_000);
  });

  it("is unknown without a price; for comparing it is guessed by the cost tier", () => {
    const guesses = [1, 2, 3, 4, 5].map((cost) => {
      const view = viewOf("m", {}, { tiers: { cost } });
      expect(expectCostNanoUsd(view, demands)).to.equal(undefined);
      return guessCostNanoUsd(view, demands, settings);
    });
    expect(guesses).to.deep.equal([1e5, 3e5, 1e6, 3e6, 1e7]);
  });
});
