import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { runCommandLine } from "../../../src/cli/run-command-line.ts";
import { TestTerminal } from "../../cli/test-terminal.ts";
import { FakeUpstream } from "../../support/fake-upstream.ts";
import { makeKey } from "../../unit/auth/make-key.ts";
import { type GuardedSluice, startGuardedSluice } from "./start-guarded-sluice.ts";

describe("the command line and a server that wants keys", () => {
  const { key, text } = makeKey({ scopes: ["models.read"] });
  let upstream: FakeUpstream;
  let sluice: GuardedSluice;
  let folder = "";

  before(async () => {
    upstream = await FakeUpstream.start();
    sluice = await startGuardedSluice({ upstream: upstream.baseUrl, keys: [key] });
    folder = await mkdtemp(join(tmpdir(), "sluice-command-"));
  });

  after(async () => {
    // Undefined where it could not be started; then the rest must be closed all the same.
    await (sluice as GuardedSluice | undefined)?.stop();
    await upstream.close();
    await rm(folder, { recursive: true });
  });

  async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const terminal = new TestTerminal({ env });
    const code = await runCommandLine([...argv, "--server", `127.0.0.1:${sluice.port}`], terminal);
    expect(terminal.out + terminal.err).not.to.include(text.split("_")[2]);
    return { code, out: terminal.out, err: terminal.err };
  }

  it("sends the key of SLUICE_API_KEY or of --key-file", async () => {
    const file = join(folder, "key");
    await writeFile(file, `${text}\n`);
    for (const result of [
      await run(["models"], { SLUICE_API_KEY: text }),
      await run(["models", "--key-file", file]),
      await run(["models", "--key-file", file], { SLUICE_API_KEY: "wrong" }),
    ]) {
      expect(result.code, result.err).to.equal(0);
      expect(result.out).to.include("relay");
    }
  });

  it("says what was missing, and exits with 1", async () => {
    const none = await run(["models"]);
    expect(none.code).to.equal(1);
    expect(none.err).to.include("UNAUTHENTICATED");
    const scopeless = await run(["generate", "hello"], { SLUICE_API_KEY: text });
    expect(scopeless.code).to.equal(1);
    expect(scopeless.err).to.include("PERMISSION_DENIED").and.include("generate");
  });

  it("refuses a file without a key in it before it calls anybody, without printing what is in it", async () => {
    const file = join(folder, "wrong");
    for (const content of ["", "two\nlines", "x".repeat(300), "ключ"]) {
      await writeFile(file, content);
      const { code, err } = await run(["models", "--key-file", file]);
      expect(code).to.equal(2);
      if (content !== "") expect(err).not.to.include(content.slice(0, 3));
    }
    expect((await run(["models", "--key-file", join(folder, "none")])).err).to.include(
      "there is no such file",
    );
  });
});
