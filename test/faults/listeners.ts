/** What waits at an address where dialing goes wrong. */

import { type ChildProcess, fork } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import type { ListenerKind } from "./catalogue/dialing-faults.ts";

/** A certificate and its key as PEM text. */
export interface PemPair {
  readonly certificate: string;
  readonly privateKey: string;
}

/** For listeners that speak TLS. */
export interface ListenerCertificates {
  readonly good: PemPair;
  readonly selfSigned: PemPair;
  readonly expired: PemPair;
  readonly otherName: PemPair;
}

/** What listeners need of the server they belong to. */
export interface ListenerHost {
  /** Counts a socket as open until it closes. */
  track(socket: Socket): void;
  /** A TLS server that plays faults. */
  makeTls(pair: PemPair): Server;
}

/** Opens one on 127.0.0.1; resolves with its port, 0 where there is none. */
export async function openListener(
  kind: ListenerKind,
  certificates: ListenerCertificates | undefined,
  { track, makeTls }: ListenerHost,
): Promise<number> {
  const onSocket = (fn: (socket: Socket) => void) =>
    createServer({ allowHalfOpen: true }, (socket) => {
      track(socket);
      fn(socket);
    });
  const tls = (name: keyof ListenerCertificates) => {
    if (certificates === undefined) throw new Error("TLS listeners need certificates");
    return makeTls(certificates[name]);
  };
  switch (kind) {
    case "no-such-name":
      return 0;
    case "closed": {
      const server = createServer();
      const port = await listen(server);
      await new Promise((resolve) => server.close(resolve));
      return port;
    }
    case "never-accepts":
      return listenWithoutAccepting();
    case "accepts-and-resets":
      return listen(onSocket((socket) => socket.resetAndDestroy()));
    case "accepts-and-hangs-up":
      return listen(onSocket((socket) => socket.destroy()));
    case "accepts-and-is-silent":
    case "tls-silent":
      return listen(onSocket((socket) => socket.resume()));
    case "tls-reset-in-handshake":
      return listen(onSocket((socket) => socket.once("data", () => socket.resetAndDestroy())));
    case "tls-plain-http":
      return listen(
        onSocket((socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))),
      );
    case "tls-self-signed":
      return listen(tls("selfSigned"));
    case "tls-expired":
      return listen(tls("expired"));
    case "tls-other-name":
      return listen(tls("otherName"));
    case "tls-good":
      return listen(tls("good"));
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

/**
 * An address whose handshake is never answered: a process with a backlog of one stands
 * still, and enough connections wait at it that the kernel drops every further SYN.
 */
async function listenWithoutAccepting(): Promise<number> {
  const child = fork(new URL("./stuck-listener.ts", import.meta.url));
  const port = await new Promise<number>((resolve) =>
    child.once("message", (message) => resolve(Number(message))),
  );
  stopWithUs(child);
  child.kill("SIGSTOP");
  const { connect } = await import("node:net");
  const sockets = Array.from({ length: 8 }, () => connect(port, "127.0.0.1").on("error", () => {}));
  // The kernel answers the first few, in the order they asked; the rest wait for ever.
  await new Promise((resolve) => sockets[0]?.once("connect", resolve));
  for (const socket of sockets) socket.unref();
  return port;
}

function stopWithUs(child: ChildProcess): void {
  process.once("exit", () => child.kill("SIGKILL"));
}
