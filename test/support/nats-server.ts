import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { type FoundNatsServer, findNatsServer } from "../../scripts/find-nats-server.ts";

/** A nats-server takes 0.1 s on an idle machine. */
const START_TIMEOUT_MS = 15_000;

/** A real nats-server on 127.0.0.1. */
export interface TestNatsServer {
  /** The same before and after a restart. */
  readonly port: number;
  /** `nats://127.0.0.1:<port>`. */
  readonly url: string;
  readonly pid: number;
  /** Freezes the process: connections stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Sends a signal that the server knows: USR2 is lame duck mode. */
  signal(name: NodeJS.Signals): void;
  /** Ends the process; resolves when it is gone. */
  stop(): Promise<void>;
  /** Starts it again on the same port, with another configuration where one is given. */
  start(config?: string): Promise<void>;
  /** Ends it and deletes its files. */
  remove(): Promise<void>;
}

let found: Promise<FoundNatsServer> | undefined;

/**
 * The program, looked for once. Skips the suite and says why at the end where there is none;
 * on CI that is a failure.
 */
export async function needNatsServer(context: Context): Promise<string> {
  context.timeout(600_000);
  found ??= findNatsServer();
  const server = await found;
  if (server.kind === "found") return server.program;
  if (process.env.CI === "true") throw new Error(`there is no nats-server: ${server.why}`);
  if (!isSaid) process.once("exit", () => console.log(`The suites over NATS did not run: ${server.why}.`));
  isSaid = true;
  return context.skip();
}
let isSaid = false;

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a server on a free port; `config` is the text of its configuration file, whose address does not count. */
export async function startNatsServer(
  program: string,
  config = "",
  env: NodeJS.ProcessEnv = {},
): Promise<TestNatsServer> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-nats-"));
  const file = join(folder, "nats.conf");
  let child: ChildProcess;
  let port = -1;
  const start = async (text: string) => {
    await writeFile(file, text);
    child = spawn(program, ["-c", file, "-a", "127.0.0.1", "-p", String(port)], {
      stdio: ["ignore", "ignore", "pipe"],
      env,
    });
    running.add(child);
    child.once("exit", () => running.delete(child));
    port = await waitUntilReady(child);
  };
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  };
  try {
    await start(config);
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
  return {
    port,
    url: `nats://127.0.0.1:${port}`,
    get pid() {
      return child.pid ?? 0;
    },
    freeze: () => child.kill("SIGSTOP"),
    thaw: () => child.kill("SIGCONT"),
    signal: (name) => child.kill(name),
    stop,
    start: (text = config) => start(text),
    async remove() {
      await stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** Reads the port from the log, which must go on being read. */
function waitUntilReady(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let log = "";
    let isReady = false;
    const timer = setTimeout(() => fail(), START_TIMEOUT_MS);
    const fail = () => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new Error(`nats-server is not ready:\n${log}`));
    };
    child.once("error", fail);
    child.once("exit", fail);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      if (isReady) return;
      log += text;
      const [, port] = /client connections on 127\.0\.0\.1:(\d+)/.exec(log) ?? [];
      if (port === undefined || !log.includes("Server is ready")) return;
      isReady = true;
      clearTimeout(timer);
      child.off("exit", fail);
      resolve(Number(port));
    });
  });
}
