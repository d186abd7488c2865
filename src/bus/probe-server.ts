import { connect } from "node:net";
import type { NatsServer } from "../config/nats-config.ts";
import type { Clock } from "../domain/ports.ts";

/** Where a server answered. */
export interface Probed {
  /** The IP address behind the host name. */
  readonly address: string;
  readonly port: number;
}

/** A server sends its INFO first; no more of it is read than shows that it is one. */
const GREETING = "INFO ";

/**
 * Opens a connection, waits for the first word of a NATS server, and hangs up. Rejects when none comes
 * within `timeoutMs` or `signal` fires. The package `nats` leaks the socket of an attempt that times out
 * before the greeting, and wakes it up again later; so it is let at servers that greet.
 */
export function probeServer(
  { host, port }: NatsServer,
  { clock, timeoutMs, signal }: { clock: Clock; timeoutMs: number; signal: AbortSignal },
): Promise<Probed> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    let greeting = "";
    const settle = (finish: () => void) => {
      stopTimer();
      socket.destroy();
      finish();
    };
    const fail = (why: string) => settle(() => reject(new Error(why)));
    const stopTimer = clock.timer(timeoutMs, () => fail("the server does not answer"));
    socket.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? "the connection broke"));
    socket.on("close", () => fail("the server hung up"));
    socket.on("data", (chunk: Buffer) => {
      greeting += chunk.toString("latin1", 0, GREETING.length);
      if (greeting.length < GREETING.length) return;
      const { remoteAddress } = socket;
      if (!greeting.startsWith(GREETING) || remoteAddress === undefined) {
        fail("what answers is no NATS server");
        return;
      }
      settle(() => resolve({ address: remoteAddress, port }));
    });
  });
}
