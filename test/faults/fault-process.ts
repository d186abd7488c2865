import { type ChildProcess, fork } from "node:child_process";
import type { ListenerKind } from "./catalogue/dialing-faults.ts";
import type { ServerNews, ServerOrder } from "./fault-server.ts";
import type { ListenerCertificates } from "./listeners.ts";

/** What the server saw of one cell. */
export interface SeenCell {
  askedCount: number;
  /** Whether every request carried the provider's key and the prompt. */
  hasCanaries: boolean;
  /** Answers that were sent whole; their connections may stay open. */
  answeredCount: number;
  closedCount: number;
  onChange: () => void;
}

/** The fault server in its own process. */
export class FaultProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #cells = new Map<number, SeenCell>();
  readonly #waiting = new Map<string, (news: ServerNews) => void>();

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    child.on("message", (news: ServerNews) => this.#hear(news));
  }

  /** Starts it; resolves when it takes connections. */
  static async start(): Promise<FaultProcess> {
    const child = fork(new URL("./fault-server.ts", import.meta.url));
    const port = await new Promise<number>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`the fault server ended with ${code}`)));
      child.once("message", (news: ServerNews) => resolve(news.kind === "ready" ? news.port : 0));
    });
    return new FaultProcess(child, port);
  }

  /** Opens an address where dialing goes wrong; resolves with its port. */
  async listen(
    key: string,
    listener: ListenerKind,
    certificates: ListenerCertificates | undefined,
  ): Promise<number> {
    const news = await this.#ask({ kind: "listen", key, listener, certificates }, `listening ${key}`);
    return news.kind === "listening" ? news.port : 0;
  }

  /** How many connections it has open. */
  async countSockets(): Promise<number> {
    const news = await this.#ask({ kind: "count_sockets" }, "open_sockets");
    return news.kind === "open_sockets" ? news.count : -1;
  }

  /** What it saw of a cell so far. */
  cell(number: number): SeenCell {
    const known = this.#cells.get(number);
    if (known !== undefined) return known;
    const cell = { askedCount: 0, hasCanaries: true, answeredCount: 0, closedCount: 0, onChange() {} };
    this.#cells.set(number, cell);
    return cell;
  }

  /** Resolves with true once the cell was asked for; false after `timeoutMs`. */
  awaitAsked(number: number, timeoutMs: number): Promise<boolean> {
    return this.#await(number, timeoutMs, ({ askedCount }) => askedCount > 0);
  }

  /** Resolves with true once every connection of the cell is closed or has had a whole answer; false after `timeoutMs`. */
  awaitRelease(number: number, timeoutMs: number): Promise<boolean> {
    return this.#await(
      number,
      timeoutMs,
      ({ askedCount, closedCount, answeredCount }) => closedCount + answeredCount >= askedCount,
    );
  }

  /** Forgets what it saw, so that numbers can be used again. */
  forget(): void {
    this.#cells.clear();
  }

  /** Ends it. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.disconnect();
    await ended;
  }

  #await(number: number, timeoutMs: number, isSo: (cell: SeenCell) => boolean): Promise<boolean> {
    const cell = this.cell(number);
    if (isSo(cell)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      cell.onChange = () => {
        if (!isSo(cell)) return;
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  #ask(order: ServerOrder, key: string): Promise<ServerNews> {
    return new Promise((resolve) => {
      this.#waiting.set(key, resolve);
      this.#child.send(order);
    });
  }

  #hear(news: ServerNews): void {
    switch (news.kind) {
      case "ready":
        return;
      case "listening":
      case "open_sockets": {
        const key = news.kind === "listening" ? `listening ${news.key}` : news.kind;
        this.#waiting.get(key)?.(news);
        this.#waiting.delete(key);
        return;
      }
      case "asked": {
        const cell = this.cell(news.number);
        cell.askedCount += 1;
        cell.hasCanaries &&= news.hasKey && news.hasPrompt;
        return cell.onChange();
      }
      case "answered":
      case "closed": {
        const cell = this.cell(news.number);
        if (news.kind === "answered") cell.answeredCount += 1;
        else cell.closedCount += 1;
        return cell.onChange();
      }
    }
  }
}
