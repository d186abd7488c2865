import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { FuzzReport } from "./fuzz-server.ts";

/** The server under fire, in its own process. */
export class FuzzProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #exit: string | undefined;
  #errorText = "";

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errorText = `${this.#errorText}${text}`.slice(-4_000);
    });
    this.#ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#exit = `the server ended with ${signal ?? code}: ${this.#errorText}`;
        resolve();
      });
    });
  }

  /** Starts it; resolves when it takes calls. */
  static async start(): Promise<FuzzProcess> {
    const child = fork(join(import.meta.dirname, "fuzz-server.ts"), {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    const { port } = await receive<{ port: number }>(child);
    return new FuzzProcess(child, port);
  }

  /** How it ended and what it said last; undefined while it runs. */
  get exit(): string | undefined {
    return this.#exit;
  }

  /** Asks it to measure itself. */
  async measure(): Promise<FuzzReport> {
    if (this.#exit !== undefined) throw new Error(this.#exit);
    this.#child.send("measure");
    return receive<FuzzReport>(this.#child);
  }

  /** Drains it and waits for its end. Resolves with what went wrong: something left open keeps it from ending. */
  async stop(timeoutMs: number): Promise<string | undefined> {
    if (this.#exit !== undefined) return this.#exit;
    this.#child.send("stop");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), timeoutMs);
    await this.#ended;
    clearTimeout(timer);
    return this.#child.exitCode === 0 ? undefined : `the server did not end by itself: ${this.#exit}`;
  }
}

function receive<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error("the server ended before it answered"));
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.off("exit", onExit);
      resolve(message as T);
    });
  });
}
