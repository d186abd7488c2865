import { readFileSync } from "node:fs";
import { expect } from "chai";
import { PARAMETERS } from "../../../src/openai/parameters.ts";
import { decodeWith, listFaults } from "./decode-by-hand.ts";

const DOCUMENT = readFileSync(new URL("../../../docs/openai-door.md", import.meta.url), "utf8");

/** The rows of the table of parameters: name to the word of what becomes of it. */
function readRows(): Record<string, string | undefined> {
  const rows = DOCUMENT.matchAll(/^\| `(\w+)` \| (honoured|hint|refused)/gm);
  return Object.fromEntries([...rows].map(([, name, kind]) => [name, kind]));
}

describe("PARAMETERS", () => {
  it("is what docs/openai-door.md says", () => {
    const expected = [...PARAMETERS].map(([name, { kind }]) => [name, kind === "neutral" ? "refused" : kind]);
    expect(readRows()).to.deep.equal(Object.fromEntries(expected));
  });

  it("names the neutral values in docs/openai-door.md", () => {
    for (const [name, rule] of PARAMETERS) {
      if (rule.kind !== "neutral" || rule.neutral === "null") continue;
      const row = DOCUMENT.split("\n").find((line) => line.startsWith(`| \`${name}\``));
      expect(row?.replaceAll("`", "")).to.contain(rule.neutral);
    }
  });

  it("takes each neutral value and null, and refuses others by name", () => {
    const neutral: Record<string, unknown> = { logit_bias: {}, modalities: ["text"] };
    for (const [name, rule] of PARAMETERS) {
      expect(listFaults(decodeWith(rule.kind === "neutral" ? { [name]: null } : {}))).to.deep.equal([]);
      if (rule.kind !== "neutral") continue;
      expect(listFaults(decodeWith({ [name]: { some: "wish" } }))).to.deep.equal([
        `unsupported_parameter ${name}`,
      ]);
      if (rule.neutral === "null") continue;
      const value = neutral[name] ?? JSON.parse(rule.neutral.split(" or ")[0] ?? "");
      expect(listFaults(decodeWith({ [name]: value })), name).to.deep.equal([]);
    }
  });

  it("lets hints fall whatever they are", () => {
    const hints = { user: "u-1", metadata: { a: "b" }, prompt_cache_key: "k", safety_identifier: "s" };
    expect(listFaults(decodeWith(hints))).to.deep.equal([]);
  });
});
