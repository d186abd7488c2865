import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { findMethodRule } from "../../../src/auth/method-access.ts";
import { findPathRule } from "../../../src/auth/path-access.ts";
import { SCOPES } from "../../../src/domain/caller.ts";
import { listServedMethods } from "./served-methods.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/callers.md"), "utf8");
const rows = new Map(
  [...page.matchAll(/^\| `([^`]+)`.* \| (.+) \|$/gm)].map(([, name, needs]) => [name, needs]),
);

describe("docs/callers.md", () => {
  it("has the rule of every method that is served, and no other method", async () => {
    const methods = await listServedMethods();
    const described = [...rows.keys()].filter((name) => name?.startsWith("/") === false);
    expect(described).to.have.members(methods.map(({ parent, name }) => `${parent.typeName}/${name}`));
    for (const method of methods) {
      const rule = findMethodRule(method);
      const needs = rows.get(`${method.parent.typeName}/${method.name}`);
      if (rule === "open") expect(needs, method.name).to.equal("nothing");
      else if (rule === "reflection")
        expect(needs).to.equal("`models.read`, or nothing with `auth.open_reflection`");
      else expect(needs, method.name).to.equal(`\`${rule}\``);
    }
  });

  it("has the rule of every path of the OpenAI door", () => {
    for (const path of ["/v1/chat/completions", "/v1/models"]) {
      expect(rows.get(path), path).to.equal(`\`${findPathRule(path)}\``);
    }
  });

  it("names every scope", () => {
    for (const scope of SCOPES) expect(page).to.include(`\`${scope}\``);
  });
});
