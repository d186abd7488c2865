import { expect } from "chai";
import fc from "fast-check";
import { findPriceList, priceUsage } from "../../../src/core/cost.ts";
import type { PriceBand, PriceList } from "../../../src/domain/price-list.ts";
import { sampleModel } from "../../support/sample-catalog.ts";

const usd = (band: PriceBand): PriceList => ({ currency: "USD", bands: [band] });

const PRICE = usd({ inputNano: 600_000_000, outputNano: 2_200_000_000, cachedInputNano: 110_000_000 });

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
    const price = usd({ inputNano: 250_000, outputNano: 250_000 });
    expect(priceUsage({ inputTokens: 1, outputTokens: 1 }, price).costNanoUsd).to.equal(1);
  });

  it("is exact beyond 2^53 before the division (property)", () => {
    const count = fc.integer({ min: 0, max: 2_000_000 });
    const nano = fc.integer({ min: 0, max: 1_000_000_000_000 });
    fc.assert(
      fc.property(count, count, nano, nano, (inputTokens, outputTokens, inputNano, outputNano) => {
        const { costNanoUsd } = priceUsage({ inputTokens, outputTokens }, usd({ inputNano, outputNano }));
        const exact = BigInt(inputTokens) * BigInt(inputNano) + BigInt(outputTokens) * BigInt(outputNano);
        expect(costNanoUsd).to.equal(Number((exact + 500_000n) / 1_000_000n));
      }),
    );
  });

  it("goes by the band of prompt and answer, in the list's own currency", () => {
    const list: PriceList = {
      currency: "CNY",
      bands: [
        { belowInputTokens: 32_000, belowOutputTokens: 200, inputNano: 2e9, outputNano: 8e9 },
        { belowInputTokens: 32_000, inputNano: 3e9, outputNano: 14e9 },
        { inputNano: 4e9, outputNano: 16e9 },
      ],
    };
    const cost = (inputTokens: number, outputTokens: number) =>
      priceUsage({ inputTokens, outputTokens }, list);
    expect(cost(31_999, 199)).to.include({ costNanoCny: 31_999 * 2_000 + 199 * 8_000 });
    expect(cost(31_999, 200)).to.include({ costNanoCny: 31_999 * 3_000 + 200 * 14_000 });
    expect(cost(32_000, 1)).to.include({ costNanoCny: 32_000 * 4_000 + 16_000 });
    expect(cost(1, 1)).to.not.have.property("costNanoUsd");
  });

  it("is by the deployment's own list before its model's", () => {
    const model = sampleModel("m", { price: { inputNanoUsd: 1, outputNanoUsd: 2, cachedInputNanoUsd: 3 } });
    const [deployment] = model.deployments;
    if (deployment === undefined) throw new Error("a sample model has a deployment");
    expect(findPriceList(deployment, model)).to.deep.equal(
      usd({ inputNano: 1, outputNano: 2, cachedInputNano: 3 }),
    );
    expect(findPriceList({ ...deployment, price: PRICE }, model)).to.equal(PRICE);
    expect(findPriceList(deployment, sampleModel("m"))).to.equal(undefined);
  });
});
