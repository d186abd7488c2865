import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { listPages, ROOT, readPage } from "./read-markdown.ts";

/** Every title of a test, with `${…}` of templates matching anything. */
function listTitles(): readonly RegExp[] {
  const files = readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".test.ts"))
    .flatMap((file) => [
      ...readFileSync(join(ROOT, "test", file), "utf8").matchAll(/\bit\(\s*(?:"([^"]+)"|`([^`]+)`)/g),
    ])
    .map(([, plain, template = ""]) => {
      const parts = plain === undefined ? template.split(/\$\{[^}]*\}/) : [plain];
      return new RegExp(`^${parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join(".*")}$`);
    })
    .filter(({ source }) => !/^\^(\.\*|\s)*\$$/.test(source));
}

describe("docs/decisions", () => {
  const decisions = listPages().filter((page) => /^docs\/decisions\/\d{4}-/.test(page));

  it("are numbered without a gap", () => {
    const numbers = decisions.map((page) => Number(page.slice("docs/decisions/".length).slice(0, 4)));
    expect(numbers).to.deep.equal(numbers.map((_, index) => index + 1));
  });

  for (const page of decisions) {
    it(`${page} has its number, a date, a status, a question and a decision`, () => {
      const [title = "", , status = ""] = readPage(page).split("\n");
      expect(title).to.match(new RegExp(`^# ${Number(page.slice(15, 19))}\\. `));
      expect(status).to.match(
        /^Date: \d{4}-\d{2}-\d{2}\. Status: (proposed|accepted|replaced by decision \d+)\.$/,
      );
      expect(readPage(page)).to.include("\n## Question\n").and.include("\n## Decision\n");
    });

    it(`${page} names only files of the project that are there`, () => {
      const named = [...readPage(page).matchAll(/`((?:src|test|bin|scripts)\/[A-Za-z0-9/._-]+)`/g)];
      for (const [, path = ""] of named) expect(existsSync(join(ROOT, path)), path).to.equal(true);
    });
  }

  it("on opossum names for every trap a test that there is", () => {
    const rows = readPage("docs/decisions/0003-opossum-is-record-only.md").match(/^\| (\d+|–) \|.*$/gm) ?? [];
    const titles = listTitles();
    expect(rows).to.have.length(18);
    for (const row of rows) {
      const [, quoted = ""] = /\| "([^"]+)" \|$/.exec(row) ?? [];
      expect(
        titles.some((title) => title.test(quoted)),
        row,
      ).to.equal(true);
    }
  });
});
