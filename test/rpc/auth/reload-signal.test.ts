import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { formatKeyFile } from "../../../src/auth/key-file.ts";
import { eventually } from "../../support/eventually.ts";
import { makeKey } from "../../unit/auth/make-key.ts";

const BIN = join(import.meta.dirname, "../../../bin/sluice.js");
const START_MS = 15_000;

describe("SIGHUP", function () {
  this.timeout(30_000);

  it("makes a running server read its keys again, and does not end it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-signal-"));
    const keys = join(folder, "keys.json");
    const [first, second] = [makeKey(), makeKey()];
    await writeFile(keys, formatKeyFile([first.key]), { mode: 0o600 });
    await writeFile(join(folder, "sluice.yaml"), "auth: { keys_file: keys.json }\n");
    const args = ["serve", "--address", "127.0.0.1:0", "--admin-address", "off"];
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    try {
      const port = await eventually(() => {
        const found = /is ready on 127\.0\.0\.1:(\d+)/.exec(out)?.[1];
        if (found === undefined) throw new Error(err);
        return found;
      }, START_MS);
      const ask = async (text: string) =>
        (await fetch(`http://127.0.0.1:${port}/v1/models`, { headers: { authorization: `Bearer ${text}` } }))
          .status;
      // Known, but without the scope.
      expect([await ask(first.text), await ask(second.text)]).to.deep.equal([403, 401]);
      await writeFile(keys, formatKeyFile([second.key]), { mode: 0o600 });
      child.kill("SIGHUP");
      await eventually(() => expect(err).to.include("API keys reloaded"), START_MS);
      expect([await ask(first.text), await ask(second.text)]).to.deep.equal([401, 403]);
      expect(err + out)
        .not.to.include(first.text)
        .and.not.include(second.text);
      child.kill("SIGTERM");
      expect(await ended).to.equal(0);
    } finally {
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true });
    }
  });

  it("finds no server where the keys file cannot be used: it does not start", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-signal-"));
    try {
      await writeFile(join(folder, "sluice.yaml"), "auth: { keys_file: none.json }\n");
      const child = spawn(process.execPath, [BIN, "serve", "--address", "127.0.0.1:0"], {
        cwd: folder,
        env: { PATH: process.env.PATH },
        stdio: ["ignore", "ignore", "pipe"],
      });
      let err = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        err += text;
      });
      const code = await new Promise((resolve) => child.once("close", resolve));
      expect(code).to.equal(69);
      expect(err).to.include("the keys file").and.include("is not there");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
