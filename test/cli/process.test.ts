import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { eventually } from "../support/eventually.ts";
import { type ReferenceServer, startReferenceServer } from "../support/reference-server.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BIN = join(ROOT, "bin", "sluice.js");

interface Result {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

function start(args: readonly string[], bin = BIN, options: { readonly env?: NodeJS.ProcessEnv } = {}) {
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const ended = new Promise<Result>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, out, err }));
  });
  return { child, ended, readOut: () => out };
}

/** A module that makes Node believe that it is Node 20, without changing anything else. */
const PRETEND_OLD = `Object.defineProperty(process.versions, "node", { value: "20.20.2" });
Object.defineProperty(process, "execve", { value: undefined });`;

describe("bin/sluice.js", function () {
  // Each test starts one or two processes of a third of a second on an idle machine.
  this.timeout(15_000);

  let folder = "";
  let server: ReferenceServer | undefined;
  let cancelCount = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-bin-"));
    await writeFile(join(folder, "pretend-old.mjs"), PRETEND_OLD);
    server = await startReferenceServer({
      streamGenerate(_request, stream) {
        // Without an end, because only who writes on is told that its reader has left.
        let sequenceNumber = 0;
        const timer = setInterval(() => {
          stream.send({
            sequenceNumber,
            event: { case: "textDelta", value: { text: `line ${sequenceNumber++}\n` } },
          });
        }, 5);
        stream.onCancelled(() => {
          clearInterval(timer);
          cancelCount++;
        });
      },
    });
  });

  after(async () => {
    server?.close();
    await rm(folder, { recursive: true });
  });

  it("prints the version", async () => {
    const { code, out } = await start(["--version"]).ended;
    expect({ code, out }).to.deep.equal({ code: 0, out: "sluice 0.1.0\n" });
  });

  it("prints help and exits 2 without a command, and names the near one for a wrong one", async () => {
    const bare = await start([]).ended;
    expect(bare.code).to.equal(2);
    expect(bare.err).to.contain("Usage: sluice");
    const wrong = await start(["sream"]).ended;
    expect(wrong.err).to.contain("Did you mean stream?");
  });

  it("cancels the call and exits 130 at SIGINT", async () => {
    const before = cancelCount;
    const { child, ended, readOut } = start(["stream", "--server", String(server?.address), "x"]);
    await eventually(() => expect(readOut()).to.contain("line 49"), 10_000);
    child.kill("SIGINT");
    const { code, err } = await ended;
    expect(code).to.equal(130);
    expect(err).to.contain("interrupted");
    await eventually(() => expect(cancelCount).to.equal(before + 1));
  });

  it("ends quietly and cancels the call when its reader leaves", async () => {
    const before = cancelCount;
    const flags = `stream --server ${server?.address} x`;
    const shell = spawn("sh", ["-c", `"${process.execPath}" "${BIN}" ${flags} | head -n 1`], {
      stdio: "pipe",
    });
    let err = "";
    shell.stderr.on("data", (text) => {
      err += text;
    });
    await new Promise((resolve) => shell.on("close", resolve));
    expect(err).to.equal("");
    await eventually(() => expect(cancelCount).to.equal(before + 1));
  });

  it("says plainly that the output cannot be written", async () => {
    const shell = spawn("sh", ["-c", `"${process.execPath}" "${BIN}" --help > /dev/full`], { stdio: "pipe" });
    let err = "";
    shell.stderr.on("data", (text) => {
      err += text;
    });
    const code = await new Promise((resolve) => shell.on("close", resolve));
    expect(code).to.equal(1);
    expect(err).to.match(/^sluice: the output cannot be written: .+\n$/);
  });

  describe("on a Node that is too old", () => {
    const env = () => ({ NODE_OPTIONS: `--import ${join(folder, "pretend-old.mjs")}` });
    let bin = "";

    before(async () => {
      // A package as npm installs it, beside the Node of the optional dependency.
      const own = join(folder, "app", "node_modules", "sluice");
      const node = join(folder, "app", "node_modules", `node-${process.platform}-${process.arch}`, "bin");
      await mkdir(join(own, "dist", "src", "cli"), { recursive: true });
      await mkdir(node, { recursive: true });
      await cp(BIN, join(own, "bin", "sluice.js"));
      await writeFile(join(own, "package.json"), '{"name":"sluice","type":"module"}');
      // The stand-in for the compiled program ends as its first argument says.
      await writeFile(
        join(own, "dist", "src", "cli", "main.js"),
        `export async function main() {
          if (process.argv[2] === "exit") process.exitCode = Number(process.argv[3]);
          if (process.argv[2] === "wait") {
            process.on("SIGTERM", () => { console.log("terminated"); process.exit(7); });
            process.on("SIGINT", () => process.kill(process.pid, "SIGKILL"));
            setInterval(() => {}, 1000);
          }
          // Last: the tests send signals as soon as they read it.
          console.log("compiled", process.argv.slice(2).join(" "));
        }`,
      );
      await writeFile(
        join(node, "node"),
        `#!/bin/sh\nunset NODE_OPTIONS\nexec "${process.execPath}" "$@"\n`,
        {
          mode: 0o755,
        },
      );
      await symlink(join(own, "bin", "sluice.js"), join(folder, "sluice-link"));
      bin = join(own, "bin", "sluice.js");
    });

    it("starts itself again with the Node of the optional package and keeps its exit code", async () => {
      const { code, out, err } = await start(["exit", "42"], bin, { env: env() }).ended;
      expect({ code, out, err }).to.deep.equal({ code: 42, out: "compiled exit 42\n", err: "" });
      expect((await start(["exit", "0"], join(folder, "sluice-link"), { env: env() }).ended).code).to.equal(
        0,
      );
    });

    it("passes SIGTERM on and waits for the end", async () => {
      const { child, ended, readOut } = start(["wait"], bin, { env: env() });
      await eventually(() => expect(readOut()).to.contain("compiled"), 10_000);
      child.kill("SIGTERM");
      const { code, out } = await ended;
      expect(code).to.equal(7);
      expect(out).to.contain("terminated");
    });

    it("ends by the signal that ended its child", async () => {
      const { child, ended, readOut } = start(["wait"], bin, { env: env() });
      await eventually(() => expect(readOut()).to.contain("compiled"), 10_000);
      child.kill("SIGINT");
      expect((await ended).signal).to.equal("SIGKILL");
    });

    it("says what to do and exits 69 where there is no other Node", async () => {
      const lonely = join(folder, "lonely", "bin");
      await mkdir(lonely, { recursive: true });
      await cp(BIN, join(lonely, "sluice.mjs"));
      const { code, err } = await start([], join(lonely, "sluice.mjs"), { env: env() }).ended;
      expect(code).to.equal(69);
      expect(err).to.contain("Node 20.20.2 is too old; 22.19 or newer is needed. Install Node 24");
    });
  });

  it("says that it was not built where there are neither sources nor a build", async () => {
    const empty = join(folder, "empty", "bin");
    await mkdir(empty, { recursive: true });
    await cp(BIN, join(empty, "sluice.mjs"));
    const { code, err } = await start([], join(empty, "sluice.mjs")).ended;
    expect(code).to.equal(69);
    expect(err).to.contain("npm run build");
  });
});
