import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { COMMANDS } from "../../src/cli/run-command-line.ts";
import {
  dropFences,
  listAnchors,
  listCommands,
  listPages,
  ROOT,
  readFences,
  readPage,
} from "./read-markdown.ts";

describe("the documents", () => {
  for (const page of listPages()) {
    const text = readPage(page);

    it(`${page} links to files and headings that are there`, () => {
      const prose = dropFences(text).replace(/`[^`\n]*`/g, "");
      const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
      for (const target of targets.filter((each) => !/^(https?|mailto):/.test(each))) {
        const [path = "", anchor] = target.split("#");
        const file = path === "" ? page : join(dirname(page), path);
        expect(existsSync(join(ROOT, file)), `${target} is not there`).to.equal(true);
        if (anchor !== undefined) expect(listAnchors(readPage(file)), target).to.include(anchor);
      }
    });

    it(`${page} names only npm scripts that there are`, () => {
      const { scripts } = JSON.parse(readPage("package.json"));
      const named = [...text.matchAll(/\bnpm (?:run ([a-z][a-z:-]*)|(test|start)\b)/g)];
      for (const [, run, short] of named) expect(scripts).to.include.keys(run ?? short ?? "");
    });

    it(`${page} names only commands of sluice that there are`, () => {
      const known = COMMANDS.map((command) => command.name);
      const blocks = readFences(text).filter(({ language }) => language === "sh");
      const used = blocks.flatMap((block) => listCommands(block.text));
      for (const command of used) {
        const [, name] = /^(?:npx )?sluice ([a-z]+)/.exec(command) ?? [];
        if (name !== undefined) expect(known, command).to.include(name);
      }
    });
  }
});
