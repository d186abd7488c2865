import { expect } from "chai";
import fc from "fast-check";
import { estimatePromptTokens, estimateTextTokens } from "../../../src/core/estimate-prompt-tokens.ts";
import { sampleRequest } from "../../support/sample-catalog.ts";

describe("the estimate of a text's tokens", () => {
  const rows: [string, number][] = [
    ["", 0],
    ["word", 0.99],
    ["a word", 1.98],
    ["internationalization", 3 * 0.99],
    ["1234", 2 * 2.07],
    ["a, b.", 2 * 0.99 + 2 * 0.55],
    ["a\n\n\nb", 2 * 0.99 + 0.64],
    ["a\n    b", 2 * 0.99 + 0.64 + 0.56],
    ["你好", 2 * 0.82],
    ["привет", 6 * 0.28],
    ["😀", 1.4],
  ];
  for (const [text, tokens] of rows) {
    it(`is ${tokens} for ${JSON.stringify(text)}`, () => {
      expect(estimateTextTokens(text)).to.be.closeTo(tokens, 1e-9);
    });
  }

  it("is a finite figure from 0 on for any text, and grows with it (property)", () => {
    const text = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(text, text, (one, other) => {
        const tokens = estimateTextTokens(one);
        expect(tokens).to.be.within(0, one.length * 2.07);
        // A joint may make one run of two, never less than the longer text alone.
        expect(estimateTextTokens(`${one}\n${other}`)).to.be.at.least(tokens - 0.64);
      }),
    );
  });

  it("takes the rest of a very long text to be like its beginning", () => {
    const page = "Some words of a text that goes on and on. ".repeat(1_561);
    expect(estimateTextTokens(page.repeat(10)) / estimateTextTokens(page)).to.be.closeTo(10, 0.01);
  });
});

describe("the estimate of a prompt's tokens", () => {
  it("counts messages, images, calls and tools beside the text", () => {
    const plain = estimatePromptTokens(sampleRequest());
    expect(plain).to.equal(4);
    const image = { kind: "image", source: { kind: "url", url: "https://x.test/a" } } as const;
    const withImage = sampleRequest({ messages: [{ role: "user", parts: [image] }] });
    expect(estimatePromptTokens(withImage)).to.equal(1_603);
    const tools = [{ name: "add", description: "Adds two numbers." }];
    expect(estimatePromptTokens(sampleRequest({ tools }))).to.be.within(plain + 100, plain + 130);
  });
});
