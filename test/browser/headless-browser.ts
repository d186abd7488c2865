import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

const NAMES = ["chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"];

/** The browser's program, or undefined where there is none. */
export function findBrowser(): string | undefined {
  return NAMES.find((name) => {
    try {
      execFileSync("sh", ["-c", `command -v ${name}`], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
}

interface Reply {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** A real browser without a window, steered by the Chrome DevTools Protocol over a pipe: no port is opened. */
export class HeadlessBrowser {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #out: Writable;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #lastId = 0;
  #session = "";

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child;
    this.#profile = profile;
    this.#out = child.stdio[3] as Writable;
    this.#out.on("error", () => {});
    let pending = "";
    (child.stdio[4] as Readable).setEncoding("utf8").on("data", (text: string) => {
      const messages = `${pending}${text}`.split("\0");
      pending = messages.pop() ?? "";
      for (const message of messages) this.#take(JSON.parse(message));
    });
  }

  /** Starts the program with a profile of its own and opens a page. */
  static async open(program: string, url: string): Promise<HeadlessBrowser> {
    const profile = await mkdtemp(join(tmpdir(), "sluice-browser-"));
    const flags = [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--no-first-run",
    ];
    const child = spawn(
      program,
      [...flags, "--no-proxy-server", `--user-data-dir=${profile}`, "--remote-debugging-pipe"],
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
    );
    const browser = new HeadlessBrowser(child, profile);
    const { targetId } = await browser.#send("Target.createTarget", { url });
    const { sessionId } = await browser.#send("Target.attachToTarget", { targetId, flatten: true });
    browser.#session = String(sessionId);
    return browser;
  }

  /** The value of an expression in the page; it must be JSON. */
  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.#send("Runtime.evaluate", { expression, returnByValue: true });
    return (result as { readonly value?: unknown }).value;
  }

  /** Ends the program and deletes its profile. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL");
      await ended;
    }
    // Its helpers may still write for a moment.
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 10 });
  }

  #send(method: string, params: object): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error("the browser ended"));
      this.#child.once("exit", fail);
      this.#waiting.set(id, (reply) => {
        this.#child.off("exit", fail);
        if (reply.error === undefined) resolve(reply.result ?? {});
        else reject(new Error(reply.error.message));
      });
      const session = this.#session === "" ? {} : { sessionId: this.#session };
      this.#out.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    });
  }

  #take(reply: Reply): void {
    if (reply.id === undefined) return;
    this.#waiting.get(reply.id)?.(reply);
    this.#waiting.delete(reply.id);
  }
}
