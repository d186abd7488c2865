import type { Http2Server, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { AddressResets } from "./address-resets.ts";
import { SessionWatch, type WatchParts } from "./session-watch.ts";

/** The HTTP/2 connections of a server, all together. */
export class Http2Sessions {
  readonly #parts: WatchParts;
  readonly #resets: AddressResets;
  readonly #watches = new Map<ServerHttp2Session, SessionWatch>();
  #leaving = false;

  constructor(server: Http2Server, parts: WatchParts) {
    this.#parts = parts;
    this.#resets = new AddressResets(parts.limits);
    // Node hides the socket of a session, and makes the session while it is told of the connection; or makes none,
    // where the preface came over TLS without ALPN having said so.
    let latest: Socket | undefined;
    server.prependListener("connection", (socket: Socket) => {
      latest = socket;
    });
    server.on("session", (session) => {
      if (latest !== undefined) this.#adopt(session, latest);
      latest = undefined;
    });
    server.on("sessionError", (error: Error) => {
      parts.logger.debug("an HTTP/2 connection failed", { error: error.message });
    });
  }

  /** How many are open. */
  get count(): number {
    return this.#watches.size;
  }

  /** Sends GOAWAY on every connection. One that opens later has one answer, which refuses, and is closed. */
  leave(): void {
    this.#leaving = true;
    for (const watch of [...this.#watches.values()]) watch.leave();
  }

  /**
   * Closes every connection as soon as what was written to it is on its way. Resolves
   * when all are closed, or after `timeoutMs`: `destroy` breaks off what is left.
   */
  close(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const open = new Set(this.#watches.keys());
      const stopTimer = this.#parts.clock.timer(timeoutMs, resolve);
      const finish = (): void => {
        if (open.size > 0) return;
        stopTimer();
        resolve();
      };
      for (const session of open) {
        session.once("close", () => {
          open.delete(session);
          finish();
        });
        if (!session.closed) session.close();
      }
      finish();
    });
  }

  /** Breaks off every connection and resolves when all are closed. What Node has not written yet is lost. */
  async destroy(): Promise<void> {
    const closed = [...this.#watches].map(
      ([session, watch]) =>
        new Promise<void>((resolve) => {
          session.once("close", resolve);
          watch.destroy();
        }),
    );
    await Promise.all(closed);
  }

  #adopt(session: ServerHttp2Session, socket: Socket): void {
    const watch = new SessionWatch(session, socket, this.#parts, this.#resets);
    this.#watches.set(session, watch);
    if (this.#leaving) watch.leaveAfterFirst();
    session.once("close", () => this.#watches.delete(session));
  }
}
