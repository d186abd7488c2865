import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { machineFiles } from "../../../src/config/config-files.ts";

describe("the machine's files", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-config-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const write = (content: string | Uint8Array) => {
    const path = join(folder, "file");
    writeFileSync(path, content);
    return path;
  };

  it("are read whole, without the byte order mark", () => {
    const text = "é".repeat(100_000);
    expect(machineFiles.readText(write(`\ufeff${text}`))).to.deep.equal({ kind: "text", text });
  });

  const failures: [string, () => string, object][] = [
    ["is missing", () => join(folder, "none"), { kind: "missing" }],
    ["lies in a file", () => join(write("x"), "none"), { kind: "missing" }],
    ["is a folder", () => folder, { kind: "unreadable", why: "is a folder" }],
    [
      "is not UTF-8",
      () => write(Uint8Array.of(0xff, 0xfe)),
      { kind: "unreadable", why: "is not UTF-8 text" },
    ],
    [
      "is too large",
      () => write(Buffer.alloc(2 ** 22 + 1)),
      { kind: "unreadable", why: "is larger than 4 MiB" },
    ],
    ["never ends", () => "/dev/zero", { kind: "unreadable", why: "is larger than 4 MiB" }],
  ];
  for (const [what, makePath, expected] of failures) {
    it(`give a reason when one ${what}`, () => {
      expect(machineFiles.readText(makePath())).to.deep.equal(expected);
    });
  }

  it("give a reason for a name that no file can have", () => {
    expect(machineFiles.readText("a\0b")).to.have.property("kind", "unreadable");
  });
});
