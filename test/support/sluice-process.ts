import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ProgramEnd, type RunningProgram, startProgram } from "./run-program.ts";

const BIN = fileURLToPath(new URL("../../bin/sluice.js", import.meta.url));

/** How long a process may take to be ready; it takes half a second on an idle machine. */
const START_TIMEOUT_MS = 15_000;

/** A `sluice serve` of its own. */
export interface SluiceProcess {
  readonly port: number;
  readonly pid: number;
  /** `http://127.0.0.1:<port>`. */
  readonly baseUrl: string;
  /** Sends a signal. */
  signal(name: "SIGTERM" | "SIGINT" | "SIGKILL"): void;
  /** Resolves when the process has ended and all it wrote was read. */
  readonly ended: Promise<ProgramEnd>;
  /** Ends it the hard way if it still runs, and deletes its files. */
  remove(): Promise<void>;
}

/**
 * Runs `bin/sluice.js serve` with this configuration on a free port, and waits until it is
 * ready. `variables` are its environment beside PATH.
 */
export async function startSluiceProcess(
  yaml: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<SluiceProcess> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-process-"));
  const file = join(folder, "sluice.yaml");
  await writeFile(file, yaml);
  const args = ["serve", "--config", file, "--address", "127.0.0.1:0", "--admin-address", "off"];
  // Without the environment of the test's own user: a GLM_API_KEY there must not reach a test.
  const env = { PATH: process.env.PATH, ...variables };
  const program = startProgram([process.execPath, BIN, ...args], { cwd: folder, env });
  const { child, ended } = program;
  const remove = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true });
  };
  try {
    const port = await waitForPort(program);
    return {
      port,
      pid: child.pid ?? 0,
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

/** Reads the port from the ready line. */
function waitForPort({ child, readOut, readErr }: RunningProgram): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      child.stdout?.off("data", look);
      child.off("exit", fail);
      finish();
    };
    const fail = () => settle(() => reject(new Error(`sluice serve is not ready: ${readErr()}`)));
    const look = () => {
      const found = /is ready on 127\.0\.0\.1:(\d+)/.exec(readOut());
      if (found !== null) settle(() => resolve(Number(found[1])));
    };
    const timer = setTimeout(fail, START_TIMEOUT_MS);
    child.stdout?.on("data", look);
    child.once("exit", fail);
  });
}
