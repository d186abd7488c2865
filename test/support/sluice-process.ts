import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../bin/sluice.js", import.meta.url));

/** How long a process may take to be ready; it takes half a second on an idle machine. */
const START_TIMEOUT_MS = 15_000;

/** How a process ended, and all it wrote. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** A `sluice serve` of its own. */
export interface SluiceProcess {
  readonly port: number;
  /** `http://127.0.0.1:<port>`. */
  readonly baseUrl: string;
  /** Sends a signal. */
  signal(name: "SIGTERM" | "SIGINT"): void;
  /** Resolves when the process has ended and all it wrote was read. */
  readonly ended: Promise<ProcessEnd>;
  /** Ends it the hard way if it still runs, and deletes its files. */
  remove(): Promise<void>;
}

/** Runs `bin/sluice.js serve` with this configuration on a free port, and waits until it is ready. */
export async function startSluiceProcess(yaml: string): Promise<SluiceProcess> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-process-"));
  const file = join(folder, "sluice.yaml");
  await writeFile(file, yaml);
  const args = ["serve", "--config", file, "--address", "127.0.0.1:0", "--admin-address", "off"];
  // Without the caller's own settings: a GLM_API_KEY there must not reach a test.
  const env = { PATH: process.env.PATH };
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const written = collectOutput(child);
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal, ...written }));
  });
  const remove = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true });
  };
  try {
    const port = await waitForPort(child, written);
    return {
      port,
      baseUrl: `http://127.0.0.1:${port}`,
      signal: (name) => child.kill(name),
      ended,
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function collectOutput(child: ChildProcess): { out: string; err: string } {
  const written = { out: "", err: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    written.out += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    written.err += text;
  });
  return written;
}

/** Reads the port from the ready line. */
function waitForPort(child: ChildProcess, written: { readonly out: string; readonly err: string }) {
  return new Promise<number>((resolve, reject) => {
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      child.stdout?.off("data", look);
      child.off("exit", fail);
      finish();
    };
    const fail = () => settle(() => reject(new Error(`sluice serve is not ready: ${written.err}`)));
    const look = () => {
      const found = /is ready on 127\.0\.0\.1:(\d+)/.exec(written.out);
      if (found !== null) settle(() => resolve(Number(found[1])));
    };
    const timer = setTimeout(fail, START_TIMEOUT_MS);
    child.stdout?.on("data", look);
    child.once("exit", fail);
  });
}
