import { expect } from "chai";
import fc from "fast-check";
import { formatCount, formatMs, formatNanoUsd, formatRatio } from "../../../src/cli/number-text.ts";
import { printable, printableLines } from "../../../src/cli/printable-text.ts";
import { renderTable } from "../../../src/cli/text-table.ts";
import { measureWidth, padToWidth, truncateToWidth } from "../../../src/cli/text-width.ts";

describe("text in columns", () => {
  for (const [text, width] of [
    ["", 0],
    ["abc", 3],
    ["智谱", 4],
    ["ｆ", 2],
    ["한글", 4],
    ["é", 1],
    ["e\u0301", 1],
    ["👩‍👩‍👧", 2],
    ["❤️", 2],
    ["Привет", 6],
    ["\u200b", 0],
  ] as const) {
    it(`counts ${JSON.stringify(text)} as ${width} columns`, () =>
      expect(measureWidth(text)).to.equal(width));
  }

  it("cuts to the width and shows that something was cut", () => {
    expect(truncateToWidth("abcdef", 4)).to.equal("abc…");
    expect(truncateToWidth("智谱清言", 4)).to.equal("智…");
    expect(truncateToWidth("abc", 3)).to.equal("abc");
    expect(truncateToWidth("abc", 0)).to.equal("");
  });

  it("never exceeds a width and always fills it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(30), (text, width) => {
        const cut = truncateToWidth(printable(text), width);
        expect(measureWidth(cut)).to.be.at.most(width);
        expect(measureWidth(padToWidth(cut, width, "right"))).to.equal(width);
      }),
    );
  });

  it("aligns rows with wide characters", () => {
    const rows = [
      { name: "智谱", count: "1" },
      { name: "abcdef", count: "22" },
    ];
    const columns = [
      { heading: "NAME", text: (row: (typeof rows)[number]) => row.name },
      { heading: "N", align: "right" as const, text: (row: (typeof rows)[number]) => row.count },
    ];
    expect(renderTable(columns, rows, 80)).to.deep.equal(["NAME     N", "智谱     1", "abcdef  22"]);
  });

  it("lays out any cells within the width, with every short cell in full", () => {
    const cell = fc.string({ unit: "grapheme", maxLength: 60 });
    fc.assert(
      fc.property(
        fc.array(fc.array(cell, { minLength: 5, maxLength: 5 })),
        fc.integer({ min: 40, max: 120 }),
        (rows, width) => {
          const columns = [0, 1, 2, 3, 4].map((index) => ({
            heading: `C${index}`,
            text: (row: string[]) => row[index] ?? "",
          }));
          const lines = renderTable(columns, rows, width);
          for (const line of lines) expect(measureWidth(line)).to.be.at.most(width);
          const table = lines.join("\n");
          for (const row of rows) {
            for (const text of row.map(printable)) {
              if (measureWidth(text) <= 15) expect(table).to.contain(text.trim());
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("makes everything visible that would steer a terminal", () => {
    expect(printable("a\u001b[31m\r\n\u0007\u009b\u202e")).to.equal("a␛[31m␍␊␇\ufffd\ufffd");
    expect(printableLines("a\tb\nc\r\u001b")).to.equal("a\tb\nc␍␛");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(printable(text)).not.to.match(/\p{Cc}/u);
      }),
    );
  });
});

describe("numbers as text", () => {
  for (const [nanoUsd, text] of [
    [0n, "$0.00"],
    [1n, "$0.000000001"],
    [1_500_000_000n, "$1.50"],
    [12_345_678_901n, "$12.345678901"],
    [9_007_199_254_740_993n, "$9007199.254740993"],
    [-5n, "-$0.000000005"],
    [undefined, "-"],
  ] as const) {
    it(`writes ${nanoUsd} nano-USD as ${text}`, () => expect(formatNanoUsd(nanoUsd)).to.equal(text));
  }

  for (const [ms, text] of [
    [0.4, "0ms"],
    [999.4, "999ms"],
    [999.6, "1.00s"],
    [9_994, "9.99s"],
    [9_996, "10.0s"],
    [59_940, "59.9s"],
    [59_960, "1m00s"],
    [3_599_600, "1h00m"],
    [90_061_000, "25h01m"],
  ] as const) {
    it(`writes ${ms} ms as ${text}`, () => expect(formatMs(ms)).to.equal(text));
  }

  it("shortens counts and never rounds a failure away", () => {
    expect([0, 9_999, 10_000, 999_949, 999_950, 1_234_567n].map(formatCount)).to.deep.equal([
      ...["0", "9999", "10.0k", "999.9k", "1.00M", "1.23M"],
    ]);
    expect([0, 0.5, 0.99999, 1, undefined].map(formatRatio)).to.deep.equal([
      "0%",
      "50.0%",
      "99.9%",
      "100%",
      "-",
    ]);
  });
});
