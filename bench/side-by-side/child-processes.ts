import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { findProgram } from "./find-program.ts";

/** Which core a process is pinned to: gateways have core 0 alone, upstream and generator share core 1. */
export type Core = 0 | 1;

/** A gateway that logs a lot must not fill our memory. */
const MAX_OUTPUT_CHARS = 16_000;
const STOP_GRACE_MS = 1_500;
const running = new Set<Child>();

/** Whether processes are pinned: needs two cores and the program `taskset`. */
export const canPin: boolean = availableParallelism() >= 2 && findProgram("taskset") !== undefined;

/** A process of ours, whose standard input stays open as long as we live. */
export class Child {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  #stderr = "";
  #stdout = "";
  #over = false;

  constructor(core: Core, command: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd?: string) {
    const words = canPin ? ["taskset", "-c", String(core), command, ...args] : [command, ...args];
    this.#process = spawn(words[0] ?? command, words.slice(1), { env, cwd, stdio: ["pipe", "pipe", "pipe"] });
    this.#process.stdout?.on("data", (chunk: Buffer) => {
      if (this.#stdout.length < MAX_OUTPUT_CHARS) this.#stdout += chunk.toString();
    });
    this.#process.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-MAX_OUTPUT_CHARS);
    });
    const over = Promise.withResolvers<void>();
    const end = (): void => {
      this.#over = true;
      running.delete(this);
      over.resolve();
    };
    this.#process.on("error", (error) => {
      this.#stderr += String(error);
      end();
    });
    this.#process.on("close", end);
    this.#exited = over.promise;
    running.add(this);
  }

  /** The process id; taskset replaces itself, so it is the gateway's own. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get over(): boolean {
    return this.#over;
  }

  get exitCode(): number | null {
    return this.#process.exitCode;
  }

  get stdout(): string {
    return this.#stdout;
  }

  /** The line of standard error that tells what it died of, as far as can be told. */
  get lastWords(): string {
    const lines = this.#stderr.split("\n").map((line) => line.trim());
    const error = lines.findLast((line) => /^\w*Error\b/.test(line));
    return error ?? lines.findLast((line) => /\w/.test(line)) ?? "no word on standard error";
  }

  waitForExit(): Promise<void> {
    return this.#exited;
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  /** Asks it to end, and makes it after a grace period. */
  async stop(): Promise<void> {
    if (this.#over) return;
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.kill(), STOP_GRACE_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}

function killAll(): void {
  for (const child of running) child.kill();
}

/** Makes sure that no process of ours outlives this one, on Ctrl-C too. */
export function killChildrenAtExit(): void {
  process.on("exit", killAll);
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.on(signal, () => process.exit(code));
  }
}
