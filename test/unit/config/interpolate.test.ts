import { expect } from "chai";
import fc from "fast-check";

import { interpolate } from "../../../src/config/interpolate.ts";
import { catalogYaml, expectConfig, listProblems, loadText } from "./memory-files.ts";

/** `${…}`, which linters take for a slip when written out. */
const variable = (inside: string) => `\${${inside}}`;

describe("variables in the configuration", () => {
  const env = { A: "one", EMPTY: "", NESTED: variable("A") };
  const cases: [string, string][] = [
    ["plain $ text", "plain $ text"],
    [variable("A"), "one"],
    [`<${variable("A")}|${variable("A")}>`, "<one|one>"],
    [variable("EMPTY"), ""],
    [variable("EMPTY:-x"), "x"],
    [variable("NONE:-x y:-z"), "x y:-z"],
    [variable("NONE:-"), ""],
    [variable("A:-x"), "one"],
    [`$${variable("A")}`, variable("A")],
    [`$$${variable("A")}`, `$${variable("A")}`],
    [variable("NESTED"), variable("A")],
  ];
  for (const [text, expected] of cases) {
    it(`makes ${expected || "nothing"} of ${text}`, () => {
      const result = interpolate(text, env);
      expect(result).to.include({ text: expected, malformed: false });
      expect(result.missing).to.deep.equal([]);
    });
  }

  it("names each missing variable once", () => {
    const text = [variable("X"), variable("Y"), variable("X"), variable("constructor")].join("");
    expect(interpolate(text, env).missing).to.deep.equal(["X", "Y", "constructor"]);
  });

  for (const text of [variable(""), variable("1A"), variable("A-b"), "${A", variable("A B")]) {
    it(`refuses ${text}`, () => {
      expect(interpolate(text, env).malformed).to.equal(true);
    });
  }

  it("lets any value of a variable through as it is, never as YAML", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme-ascii" }), (binary, ascii) => {
        for (const value of [binary, ascii, `x\n- ${ascii}: {"[`, variable("A"), "true", "12"]) {
          const yaml = catalogYaml({ deployment: `request_overrides: { value: "${variable("V")}" }` });
          const [model] = expectConfig(loadText(yaml, { env: { V: value } })).models;
          expect(model?.deployments[0]?.requestOverrides).to.deep.equal({ value });
        }
      }),
      { numRuns: 25 },
    );
  });

  it("turns a variable into a number or a boolean where the field is one", () => {
    const yaml = `routing:\n  max_attempts: ${variable("N")}\nserver:\n  reflection: ${variable("R:-false")}`;
    const config = expectConfig(loadText(yaml, { env: { N: "7" } }));
    expect(config.routing.maxAttempts).to.equal(7);
    expect(config.server.reflection).to.equal(false);
    expect(listProblems(loadText(yaml, { env: { N: "seven" } }))).to.deep.equal([
      "sluice.yaml:2:17: routing.max_attempts is text; right would be a whole number from 1 to 100",
    ]);
  });

  it("does not take quoted text for a number", () => {
    expect(listProblems(loadText('routing: { max_attempts: "7" }'))).to.have.length(1);
  });

  it("says which variable is missing, where, and what to do, and nothing else of that field", () => {
    expect(listProblems(loadText(`server:\n  address: ${variable("WHERE")}`))).to.deep.equal([
      "sluice.yaml:2:12: server.address needs the environment variable WHERE, which is not set; " +
        `right would be to set it, in the environment or in .env, or to write ${variable("WHERE:-default")}`,
    ]);
  });
});
