import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { KeyStore } from "../../../src/auth/key-store.ts";
import { readKeyFile } from "../../../src/auth/read-key-file.ts";
import { runCommandLine } from "../../../src/cli/run-command-line.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { TestTerminal } from "../../cli/test-terminal.ts";

describe("sluice keys", () => {
  let folder = "";
  let path = "";

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-keys-"));
    path = join(folder, "keys.json");
  });

  afterEach(() => rm(folder, { recursive: true }));

  async function run(...argv: string[]) {
    const terminal = new TestTerminal();
    const code = await runCommandLine(["keys", ...argv, "--file", path], terminal);
    return { code, out: terminal.out, err: terminal.err };
  }

  async function check(text: string) {
    const file = await readKeyFile(path);
    return new KeyStore(systemClock, file.ok ? file.keys : []).check(text);
  }

  it("create prints a key that works, once and alone, and stores only its hash", async () => {
    const { code, out, err } = await run("create", "team-a", "--scope", "generate", "--scope", "models.read");
    expect(code).to.equal(0);
    const text = out.trimEnd();
    expect(out)
      .to.equal(`${text}\n`)
      .and.match(/^sluice_/);
    const [, id, secret = ""] = text.split("_");
    expect(await check(text)).to.deep.equal({
      ok: true,
      caller: { name: "team-a", scopes: ["generate", "models.read"], credential: `key:${id}` },
    });
    expect(err).to.include(`${id}`).and.not.include(secret);
    expect(await readFile(path, "utf8")).not.to.include(secret);
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect((await run("list")).out).not.to.include(secret);
  });

  it("list shows what there is: for people and as JSON", async () => {
    await run("create", "team-a", "--scope", "generate", "--expires", "90d");
    await run("create", "prometheus", "--scope", "metrics", "--expires", "2099-01-31");
    const table = await run("list");
    expect(table.out).to.match(/ID +NAME +STATE +SCOPES/);
    expect(table.out)
      .to.match(/team-a +active +generate/)
      .and.match(/2099-01-31/);
    const entries = JSON.parse((await run("list", "--json")).out);
    expect(entries.map(({ name, state }: Record<string, string>) => [name, state])).to.deep.equal([
      ["team-a", "active"],
      ["prometheus", "active"],
    ]);
    const [first] = entries;
    const days = (Date.parse(first.expires_at) - Date.parse(first.created_at)) / 86_400_000;
    expect(days).to.equal(90);
    expect(entries[1].expires_at).to.equal("2099-01-31T00:00:00.000Z");
    expect(entries[1].revoked_at).to.equal(null);
    expect(JSON.stringify(entries)).not.to.match(/sha256|hash/);
  });

  it("revoke ends a key for good and leaves the others", async () => {
    const first = (await run("create", "team-a", "--scope", "generate")).out.trimEnd();
    const second = (await run("create", "team-a", "--scope", "generate")).out.trimEnd();
    const id = first.split("_")[1] ?? "";
    expect((await run("revoke", id)).out).to.equal(`key ${id} of team-a is revoked\n`);
    expect(await check(first)).to.include({ ok: false, why: "revoked" });
    expect((await check(second)).ok).to.equal(true);
    const before = await readFile(path, "utf8");
    expect((await run("revoke", id)).out).to.include("was revoked before");
    expect(await readFile(path, "utf8")).to.equal(before);
  });

  it("revoke does not print a whole key that was pasted for its id", async () => {
    const text = (await run("create", "team-a", "--scope", "generate")).out.trimEnd();
    const { code, out, err } = await run("revoke", text);
    expect(code).to.equal(1);
    expect(out + err)
      .to.include("no key")
      .and.not.include(text.split("_")[2]);
  });

  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["no name", ["create", "--scope", "generate"], /needs a name/],
    ["a name with a space", ["create", "team a", "--scope", "generate"], /is no name/],
    ["no scope", ["create", "team-a"], /needs one --scope or more: generate, models\.read/],
    ["an unknown scope", ["create", "team-a", "--scope", "model.read"], /Did you mean models\.read/],
    ["a time gone by", ["create", "t", "--scope", "generate", "--expires", "2020-01-31"], /time to come/],
    ["a day that is none", ["create", "t", "--scope", "generate", "--expires", "2099-02-30"], /time to come/],
    ["a length without a unit", ["create", "t", "--scope", "generate", "--expires", "90"], /time to come/],
    ["no id", ["revoke"], /needs the id/],
  ];
  for (const [what, argv, message] of wrong) {
    it(`refuses ${what}, and writes nothing`, async () => {
      const { code, err } = await run(...argv);
      expect(code).to.equal(2);
      expect(err).to.match(message);
      expect(await readKeyFile(path)).to.deep.include({ ok: false, problem: "is not there" });
    });
  }

  it("says what is wrong with a file it cannot use, and leaves it alone", async () => {
    await writeFile(path, "{}", { mode: 0o600 });
    for (const argv of [["list"], ["create", "t", "--scope", "generate"], ["revoke", "4fJ2kQ0aXbZ"]]) {
      const { code, err } = await run(...argv);
      expect(code, argv[0]).to.equal(1);
      expect(err).to.include(`the keys file ${path} must have version 1`);
    }
    expect(await readFile(path, "utf8")).to.equal("{}");
  });

  it("does not wait for somebody to write where the file is a pipe", async () => {
    await promisify(execFile)("mkfifo", [path]);
    expect(await readKeyFile(path)).to.deep.include({ ok: false, problem: "is not a file" });
  });

  it("finds the file by the configuration where no --file is given", async () => {
    const config = join(folder, "sluice.yaml");
    await writeFile(config, "auth:\n  keys_file: sub.json\n");
    const terminal = new TestTerminal();
    const argv = ["keys", "create", "team-a", "--scope", "generate", "--config", config];
    expect(await runCommandLine(argv, terminal), terminal.err).to.equal(0);
    expect((await readKeyFile(join(folder, "sub.json"))).ok).to.equal(true);
    await writeFile(config, "server: {}\n");
    const other = new TestTerminal();
    expect(await runCommandLine(["keys", "list", "--config", config], other)).to.equal(2);
    expect(other.err).to.include("auth.keys_file");
  });
});
