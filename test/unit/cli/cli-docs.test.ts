import { readFile } from "node:fs/promises";
import { expect } from "chai";
import type { LeafCommand } from "../../../src/cli/command.ts";
import { EXIT_CODES } from "../../../src/cli/exit-code.ts";
import { renderCommandHelp, renderProgramHelp } from "../../../src/cli/help-text.ts";
import { COMMANDS } from "../../../src/cli/run-command-line.ts";
import { measureWidth } from "../../../src/cli/text-width.ts";

const LEAVES: readonly LeafCommand[] = COMMANDS.flatMap((command) =>
  command.kind === "leaf" ? [command] : command.commands,
);
const CODES = Object.values(EXIT_CODES);

describe("the help and docs/cli.md", () => {
  let docs = "";

  before(async () => {
    docs = await readFile(new URL("../../../docs/cli.md", import.meta.url), "utf8");
  });

  it("list the same exit codes with the same meanings", () => {
    const table = [...docs.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, meaning]) => [
      Number(code),
      meaning,
    ]);
    expect(table).to.deep.equal(CODES.map(({ code, meaning }) => [code, meaning]));
    for (const help of [
      renderProgramHelp(COMMANDS, 200),
      ...COMMANDS.map((each) => renderCommandHelp(each, 200)),
    ]) {
      for (const { code, meaning } of CODES)
        expect(help).to.match(new RegExp(`^ +${code} +${escapeForPattern(meaning)}$`, "m"));
    }
  });

  for (const command of LEAVES) {
    it(`describe every option of ${command.name}`, () => {
      const section = findSection(docs, command.name);
      const help = renderCommandHelp(command, 80);
      for (const name of Object.keys(command.options)) {
        expect(help).to.contain(`--${name}`);
        expect(`${section}\n${findSection(docs, "Options of every command")}`).to.contain(`\`--${name}`);
      }
      expect(command.examples).not.to.have.length(0);
      for (const example of command.examples) expect(help).to.contain(example.command);
      for (const [, option] of section.matchAll(/^\| `--([a-z-]+)/gm))
        expect(command.options).to.have.property(String(option));
    });
  }

  it("fit 80 columns", () => {
    for (const help of [
      renderProgramHelp(COMMANDS, 80),
      ...LEAVES.map((leaf) => renderCommandHelp(leaf, 80)),
    ]) {
      for (const line of help.split("\n")) expect(measureWidth(line), line).to.be.at.most(80);
    }
  });
});

function escapeForPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function findSection(docs: string, title: string): string {
  const start = docs.search(new RegExp(`^#+ (sluice )?${title}$`, "m"));
  expect(start, `section ${title}`).to.be.at.least(0);
  const end = docs.indexOf("\n## ", start + 1);
  return docs.slice(start, end < 0 ? undefined : end);
}
