import { expect } from "chai";
import { catalogYaml, expectConfig, listProblems, loadText } from "./memory-files.ts";

const load = (price: string) => loadText(catalogYaml({ deployment: `price: ${price}` }));

describe("a deployment's own price list", () => {
  it("is read exactly, with its currency and bands", () => {
    const bands =
      "{ below_input_tokens: 32000, input: 0.07, output: 0.4, cached_input: 0.01 }, { input: 1, output: 2 }";
    const [model] = expectConfig(load(`{ currency: CNY, bands: [${bands}] }`)).models;
    expect(model?.deployments[0]?.price).to.deep.equal({
      currency: "CNY",
      bands: [
        {
          belowInputTokens: 32_000,
          inputNano: 70_000_000,
          outputNano: 400_000_000,
          cachedInputNano: 10_000_000,
        },
        { inputNano: 1e9, outputNano: 2e9 },
      ],
    });
    const [usual] = expectConfig(load("{ bands: [{ input: 1, output: 2 }] }")).models;
    expect(usual?.deployments[0]?.price?.currency).to.equal("USD");
  });

  it("must have a band for every request, and a currency that is counted", () => {
    const open = listProblems(load("{ bands: [{ below_input_tokens: 9, input: 1, output: 2 }] }")).join("\n");
    expect(open).to.include("ends with a band that does not always hold");
    expect(listProblems(load("{ currency: EUR, bands: [{ input: 1, output: 2 }] }")).join("\n")).to.include(
      "USD or CNY",
    );
    expect(listProblems(load("{ bands: [] }")).join("\n")).to.include("at least one band");
  });
});
