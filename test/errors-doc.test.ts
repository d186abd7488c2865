import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { FAILURE_POLICIES } from "../src/core/failure-policy.ts";
import { ERRORS } from "../src/domain/errors.ts";

const page = readFileSync(join(import.meta.dirname, "../docs/errors.md"), "utf8");

describe("docs/errors.md", () => {
  it("lists every reason with its code and meaning, and no other", () => {
    const documented = [...page.matchAll(/^\| `([A-Z_]+)` \| `([A-Z_]+)` \| (.+) \|$/gm)];
    expect(documented.map(([, reason, code, meaning]) => ({ reason, code, meaning }))).to.deep.equal(
      Object.entries(ERRORS).map(([reason, { code, meaning }]) => ({ reason, code, meaning })),
    );
  });

  it("lists what each outcome leads to, and no other", () => {
    const documented = [...page.matchAll(/^\| `([a-z_]+)` \| (\w+) \| (\w+) \| `([A-Z_]+)` \|$/gm)];
    expect(
      documented.map(([, outcome, fallback, health, reason]) => ({ outcome, fallback, health, reason })),
    ).to.deep.equal(
      Object.entries(FAILURE_POLICIES).map(([outcome, { fallback, health, reason }]) => ({
        outcome,
        fallback,
        health,
        reason,
      })),
    );
  });
});
