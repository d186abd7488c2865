import { expect } from "chai";
import fc from "fast-check";
import { priceUsage } from "../../../src/core/cost.ts";

const PRICE = { inputNanoUsd: 600_000_000, outputNanoUsd: 2_200_000_000, cachedInputNanoUsd: 110_000_000 };

describe("cost of usage", () => {
  const rows = [
    { name: "input and output", usage: { inputTokens: 1_000, outputTokens: 500 }, want: 1_700_000 },
    {
      name: "cached input at its own price",
      usage: { inputTokens: 1_000, outputTokens: 0, cachedInputTokens: 400 },
      want: 404_000,
    },
    {
      name: "more cached tokens than input counts all input as cached",
      usage: { inputTokens: 10, outputTokens: 0, cachedInputTokens: 99 },
      want: 1_100,
    },
    { name: "nothing used costs nothing", usage: { inputTokens: 0, outputTokens: 0 }, want: 0 },
    { name: "an unknown count leaves the cost unknown", usage: { inputTokens: 10 }, want: undefined },
    {
      name: "the provider's own figure wins, also when it is zero",
      usage: { inputTokens: 10, outputTokens: 10, costNanoUsd: 0 },
      want: 0,
    },
  ];
  for (const { name, usage, want } of rows) {
    it(name, () => expect(priceUsage(usage, PRICE).costNanoUsd).to.equal(want));
  }

  it("is unknown without a price", () => {
    expect(priceUsage({ inputTokens: 1, outputTokens: 1 }, undefined)).to.not.have.property("costNanoUsd");
  });

  it("rounds half a nano-USD up, once, at the end", () => {
    const price = { inputNanoUsd: 250_000, outputNanoUsd: 250_000 };
    expect(priceUsage({ inputTokens: 1, outputTokens: 1 }, price).costNanoUsd).to.equal(1);
  });

  it("is exact beyond 2^53 before the division (property)", () => {
    const count = fc.integer({ min: 0, max: 2_000_000 });
    const nano = fc.integer({ min: 0, max: 1_000_000_000_000 });
    fc.assert(
      fc.property(count, count, nano, nano, (inputTokens, outputTokens, inputNanoUsd, outputNanoUsd) => {
        const { costNanoUsd } = priceUsage({ inputTokens, outputTokens }, { inputNanoUsd, outputNanoUsd });
        const exact =
          BigInt(inputTokens) * BigInt(inputNanoUsd) + BigInt(outputTokens) * BigInt(outputNanoUsd);
        expect(costNanoUsd).to.equal(Number((exact + 500_000n) / 1_000_000n));
      }),
    );
  });
});
