import { expect } from "chai";
import fc from "fast-check";

import { parseDotenv } from "../../../src/config/dotenv.ts";

describe("the .env file", () => {
  const cases: [string, Record<string, string>][] = [
    ["", {}],
    ["A=1\nB=2\r\nC=3", { A: "1", B: "2", C: "3" }],
    ["# all\n  # of it\n\nA=1", { A: "1" }],
    ["export A=1", { A: "1" }],
    ["  A = one two  ", { A: "one two" }],
    ["A=", { A: "" }],
    ["A=x # why", { A: "x" }],
    ["A=x#y", { A: "x#y" }],
    ["A= # nothing", { A: "" }],
    ["A='x # \\n \"y\"' # why", { A: 'x # \\n "y"' }],
    ['A="x # \\n \\"y\\" \\\\ \\q"', { A: 'x # \n "y" \\ \\q' }],
    ["A=a=b", { A: "a=b" }],
    ["A=1\nA=2", { A: "2" }],
    ["\ufeffA=1", { A: "1" }],
  ];
  for (const [text, values] of cases) {
    it(`reads ${JSON.stringify(text)}`, () => {
      expect(parseDotenv(text, ".env")).to.deep.equal({ values, problems: [] });
    });
  }

  const wrong: [string, number, string, string][] = [
    ["A=1\nsk-secret", 2, "", "has a line without NAME="],
    ["1A=sk-secret", 1, "", "has a line without NAME="],
    ["A='sk-secret", 1, "A", "has quotes that do not match"],
    ['A="sk-secret" more', 1, "A", "has quotes that do not match"],
  ];
  for (const [text, line, path, words] of wrong) {
    it(`refuses ${JSON.stringify(text)} without repeating it`, () => {
      const { problems } = parseDotenv(text, ".env");
      expect(problems).to.have.length(1);
      expect(problems[0]).to.include({ source: ".env", line, path, wrong: words });
      expect(JSON.stringify(problems)).not.to.include("sk-secret");
    });
  }

  it("reads back any value in single quotes", () => {
    const value = fc.string({ unit: "grapheme" }).filter((text) => !/['\r\n]/.test(text));
    fc.assert(
      fc.property(value, (text) => {
        expect(parseDotenv(`A='${text}'`, ".env").values).to.deep.equal({ A: text });
      }),
    );
  });
});
