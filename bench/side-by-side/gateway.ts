import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Child } from "./child-processes.ts";
import type { Contestant } from "./contestants.ts";

const START_TIMEOUT_MS = 15_000;
const POLL_MS = 2;
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A contestant's process that accepts connections. */
export interface Gateway {
  readonly port: number;
  readonly pid: number;
  /** From spawning to the first accepted connection. */
  readonly startMs: number;
  stop(): Promise<void>;
}

/** A port of 127.0.0.1 that was free a moment ago. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.on("connect", () => settle(true));
    socket.on("error", () => settle(false));
  });
}

/** Reports are published: they name no folder of this machine. */
function hideRoot(text: string): string {
  return text.replaceAll(ROOT, "");
}

/** Only what a gateway needs: nothing of this shell's settings may change a result. */
export function cleanEnv(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: "production", ...more };
}

/** Starts a gateway and waits until it listens. Throws with its last words when it does not. */
export async function startGateway(contestant: Contestant, upstreamPort: number): Promise<Gateway> {
  if (contestant.launch === undefined) throw new Error(`${contestant.name} is not a process`);
  const port = await findFreePort();
  const { args, env } = contestant.launch(port, upstreamPort);
  const beganMs = performance.now();
  const child = new Child(0, process.execPath, args, cleanEnv(env));
  while (!(await accepts(port))) {
    if (child.over) throw new Error(`it ended instead of listening: ${hideRoot(child.lastWords)}`);
    if (performance.now() - beganMs > START_TIMEOUT_MS) {
      await child.stop();
      throw new Error(`it did not listen within ${START_TIMEOUT_MS / 1000} s: ${hideRoot(child.lastWords)}`);
    }
    await sleep(POLL_MS);
  }
  return { port, pid: child.pid, startMs: performance.now() - beganMs, stop: () => child.stop() };
}

/** How long `node -e 0` takes from spawning to its end, in milliseconds. */
export async function timeEmptyNode(): Promise<number> {
  const beganMs = performance.now();
  await new Child(0, process.execPath, ["-e", "0"], cleanEnv()).waitForExit();
  return performance.now() - beganMs;
}

/** Resident memory of a process in MiB; 0 when it has gone. */
export function readRssMib(pid: number): number {
  try {
    const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(match?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** The mock upstream, running. */
export interface Upstream {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts the mock upstream on a free port, beside the generator. */
export async function startUpstream(binary: string): Promise<Upstream> {
  const child = new Child(1, binary, [], cleanEnv());
  const beganMs = performance.now();
  for (;;) {
    const port = /^listening (\d+)$/m.exec(child.stdout)?.[1];
    if (port !== undefined) return { port: Number(port), pid: child.pid, stop: () => child.stop() };
    if (child.over || performance.now() - beganMs > START_TIMEOUT_MS) {
      throw new Error(`the mock upstream did not start: ${child.lastWords}`);
    }
    await sleep(POLL_MS);
  }
}
