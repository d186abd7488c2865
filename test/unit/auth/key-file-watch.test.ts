import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { RouterService } from "../../../gen/sluice/v1/router_service_pb.ts";
import { type CallerAuth, openCallerAuth } from "../../../src/auth/caller-auth.ts";
import { changeKeyFile } from "../../../src/auth/change-key-file.ts";
import { formatKeyFile } from "../../../src/auth/key-file.ts";
import { KEY_FILE_POLL_MS } from "../../../src/auth/key-file-watch.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { MemoryLogger } from "../../support/start-test-server.ts";
import { makeKey } from "./make-key.ts";

describe("the keys file of a running server", () => {
  let folder = "";
  let path = "";
  let clock: FakeClock;
  let logger: MemoryLogger;
  let auth: CallerAuth | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-keys-"));
    path = join(folder, "keys.json");
    clock = new FakeClock();
    logger = new MemoryLogger();
    auth = undefined;
  });

  afterEach(async () => {
    auth?.close();
    expect(clock.pendingCount, "timers left").to.equal(0);
    await rm(folder, { recursive: true });
  });

  const open = async () => {
    const options = {
      keysFile: path,
      certificateIdentities: [],
      isReflectionOpen: false,
      isMetricsPageOpen: false,
    };
    auth = await openCallerAuth(options, { clock, logger });
    return auth;
  };
  const opens = (text: string) =>
    auth?.admit({
      authorization: `Bearer ${text}`,
      certificate: undefined,
      target: RouterService.method.generate,
    }).ok;
  const write = (text: string) => writeFile(path, text, { mode: 0o600 });
  /** One look at the file and what follows from it. */
  const poll = async (check: () => void) => {
    await clock.advance(KEY_FILE_POLL_MS);
    await eventually(check);
  };

  it("takes a new key and refuses a revoked one within one look, without a restart", async () => {
    const [first, second] = [makeKey(), makeKey()];
    await write(formatKeyFile([first.key]));
    await open();
    expect([opens(first.text), opens(second.text)]).to.deep.equal([true, false]);
    const change = await changeKeyFile(path, (keys) => ({
      keys: [...keys.map((key) => ({ ...key, revokedMs: 1 })), second.key],
      value: undefined,
    }));
    expect(change.ok).to.equal(true);
    await poll(() => expect([opens(first.text), opens(second.text)]).to.deep.equal([false, true]));
    expect(logger.find("API keys reloaded")).to.have.length(1);
  });

  it("keeps the last good keys when the file breaks, says so loudly once, and goes on when it is mended", async () => {
    const [first, second] = [makeKey(), makeKey()];
    await write(formatKeyFile([first.key]));
    await open();
    await write('{"version":1,"keys":[{"id":"canary"}]}');
    await poll(() => expect(logger.lines.filter(({ level }) => level === "error")).to.have.length(1));
    await poll(() => expect(opens(first.text)).to.equal(true));
    expect(logger.lines.filter(({ level }) => level === "error")).to.have.length(1);
    expect(JSON.stringify(logger.lines)).not.to.include("canary");
    await write(formatKeyFile([second.key]));
    await poll(() => expect([opens(first.text), opens(second.text)]).to.deep.equal([false, true]));
  });

  it("lets nobody new in when the file is deleted", async () => {
    const { key, text } = makeKey();
    await write(formatKeyFile([key]));
    await open();
    await rm(path);
    await poll(() => expect(logger.lines.at(-1)).to.include({ level: "error", error: "is not there" }));
    expect([opens(text), opens(makeKey().text)]).to.deep.equal([true, false]);
  });

  it("does not read a file again that did not change", async () => {
    await write(formatKeyFile([makeKey().key]));
    await open();
    for (let look = 0; look < 3; look++) await poll(() => expect(clock.pendingCount).to.equal(1));
    expect(logger.find("API keys reloaded")).to.have.length(0);
  });

  it("reads the file at once when told to", async () => {
    const [first, second] = [makeKey(), makeKey()];
    await write(formatKeyFile([first.key]));
    const { reload } = await open();
    await write(formatKeyFile([second.key]));
    await reload();
    expect([opens(first.text), opens(second.text)]).to.deep.equal([false, true]);
  });

  it("does not start with a file that is missing, broken, a folder, or writable by others", async () => {
    const reject = async (problem: RegExp) => {
      const message = await open().then(
        () => "it started",
        (error: unknown) => (error instanceof Error ? error.message : ""),
      );
      expect(message).to.match(problem);
    };
    await reject(/keys\.json is not there/);
    await write("{");
    await reject(/is not JSON/);
    await write(formatKeyFile([]));
    await chmod(path, 0o666);
    await reject(/written by others/);
    path = folder;
    await reject(/is not a file/);
  });
});

describe("a change of the keys file", () => {
  let folder = "";
  let path = "";

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-keys-"));
    path = join(folder, "keys.json");
  });

  afterEach(() => rm(folder, { recursive: true }));

  const add = () => changeKeyFile(path, (keys) => ({ keys: [...keys, makeKey().key], value: keys.length }));

  it("makes a file that only its owner can read, and leaves nothing else behind", async () => {
    expect(await add()).to.deep.equal({ ok: true, value: 0 });
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect(await readdir(folder)).to.deep.equal(["keys.json"]);
    expect(await add()).to.deep.equal({ ok: true, value: 1 });
  });

  it("loses nothing when many change it at once: each succeeds whole or is told to wait", async () => {
    const changes = await Promise.all(Array.from({ length: 20 }, add));
    const written = JSON.parse(await readFile(path, "utf8")).keys.length;
    expect(written)
      .to.equal(changes.filter(({ ok }) => ok).length)
      .and.be.at.least(1);
    for (const change of changes) if (!change.ok) expect(change.problem).to.match(/being changed/);
    expect(await readdir(folder)).to.deep.equal(["keys.json"]);
  });

  it("leaves a broken file alone", async () => {
    await writeFile(path, "{", { mode: 0o600 });
    expect(await add()).to.deep.include({ ok: false, problem: "is not JSON" });
    expect(await readFile(path, "utf8")).to.equal("{");
  });

  it("says when the folder is not there", async () => {
    path = join(folder, "no", "keys.json");
    expect(await add()).to.deep.equal({ ok: false, problem: "is in a folder that is not there" });
  });
});
