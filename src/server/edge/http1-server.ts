import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { ServerLimits } from "../../config/server-limits.ts";
import type { Clock } from "../../domain/ports.ts";
import { answerUnreadable } from "./answer-unreadable.ts";

/** How long a whole request may take; calls have their own, shorter deadlines. */
const REQUEST_TIMEOUT_MS = 300_000;
/** How often timeouts are looked at, at most. */
const CHECK_INTERVAL_MS = 2_000;
/** How long a caller may go on sending after it was told that its connection closes. */
const LINGER_MS = 2_000;

/** What an HTTP/1.1 server is made of. */
export interface Http1Parts {
  readonly maxHeaderBytes: number;
  readonly limits: ServerLimits;
  readonly clock: Clock;
}

/** An HTTP/1.1 server that is given its connections and never listens itself. */
export function createHttp1Server(parts: Http1Parts, listener: RequestListener): Server {
  const { maxHeaderBytes, limits, clock } = parts;
  /** Connections whose last answer is out or on its way, and how many requests came behind it. */
  const closing = new WeakMap<Socket, number>();
  /** Answers of each connection that are not whole yet. */
  const open = new WeakMap<Socket, Set<ServerResponse>>();
  /** Connections on which unreadable bytes wait for the answers before them. */
  const unreadable = new WeakSet<Socket>();
  const listen: RequestListener = (request, response) => {
    const { socket } = request;
    const behindCount = closing.get(socket);
    if (behindCount !== undefined) {
      // Nobody answers these, and Node keeps each of them until the connection is closed.
      if (behindCount >= limits.maxPipelinedCount) socket.destroy();
      closing.set(socket, behindCount + 1);
      return;
    }
    const answers = open.get(socket) ?? new Set();
    open.set(socket, answers.add(response));
    response.once("close", () => answers.delete(response));
    listener(request, response);
  };
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      // Node's answer has no body; the edge refuses with one.
      requireHostHeader: false,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: limits.http1IdleTimeoutMs,
      connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, limits.headersTimeoutMs),
    },
    listen,
  );
  // Without a listener Node answers expectations that it does not know itself.
  server.on("checkExpectation", listen);
  server.on("clientError", (error, connection) => {
    const socket = connection as Socket;
    const answers = [...(open.get(socket) ?? [])];
    const last = answers.at(-1);
    if (last?.req.complete === true && socket.writable) {
      // These bytes are behind whole requests, whose answers come first.
      if (unreadable.has(socket)) return;
      unreadable.add(socket);
      last.once("close", () => {
        if (!closing.has(socket)) answerUnreadable(error, socket, false);
      });
      return;
    }
    // A body may turn out to be unreadable while its own request still has no answer.
    answerUnreadable(error, socket, last !== undefined && (last.headersSent || answers.length > 1));
  });
  server.on("connection", (socket) => {
    // Node closes both ways at once, and what the caller still sends makes the network drop
    // the answer on its way. RFC 9112 9.6: close our side, read on for a while, then close.
    socket.destroySoon = () => {
      if (closing.has(socket) || socket.destroyed) return;
      closing.set(socket, 0);
      const stopTimer = clock.timer(LINGER_MS, () => socket.destroy());
      socket.once("close", stopTimer);
      socket.end();
    };
  });
  // Without this Node enforces neither of the timeouts: it starts to look when a server listens.
  server.emit("listening");
  return server;
}
