import type { Http2Server, ServerHttp2Session } from "node:http2";
import type { Cleanup, Clock, Logger } from "../../domain/ports.ts";
import { CONNECTION_WINDOW_BYTES } from "./http2-options.ts";

/** How long a peer may take to finish its connection preface with SETTINGS. */
const PREFACE_TIMEOUT_MS = 10_000;
/** How long a connection may stay without a call. */
const IDLE_TIMEOUT_MS = 600_000;
/** How long a peer may take to answer the ping between the two GOAWAYs. */
const GOAWAY_PING_TIMEOUT_MS = 1_000;
/** The highest stream id there is: "I am leaving, but I still take what is on its way" (RFC 9113 6.8). */
const LAST_STREAM_ID = 2 ** 31 - 1;

/** Watches over the HTTP/2 connections of a server: windows, silence, and the way out. */
export class Http2Sessions {
  readonly #clock: Clock;
  /** Each connection with the number of its open streams. */
  readonly #streamCounts = new Map<ServerHttp2Session, number>();
  #leaving = false;

  constructor(server: Http2Server, clock: Clock, logger: Logger) {
    this.#clock = clock;
    server.on("session", (session) => this.#adopt(session));
    server.on("sessionError", (error: Error) => {
      logger.debug("an HTTP/2 connection failed", { error: error.message });
    });
  }

  /** Sends GOAWAY on every connection. One that opens later has one answer, which refuses, and is closed. */
  leave(): void {
    this.#leaving = true;
    for (const session of [...this.#streamCounts.keys()]) this.#sendAway(session);
  }

  /**
   * Closes every connection as soon as what was written to it is on its way. Resolves
   * when all are closed, or after `timeoutMs`: `destroy` breaks off what is left.
   */
  close(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const open = new Set(this.#streamCounts.keys());
      const stopTimer = this.#clock.timer(timeoutMs, resolve);
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
    const closed = [...this.#streamCounts.keys()].map(
      (session) =>
        new Promise<void>((resolve) => {
          session.once("close", resolve);
          session.destroy();
        }),
    );
    await Promise.all(closed);
  }

  #adopt(session: ServerHttp2Session): void {
    this.#streamCounts.set(session, 0);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    let stopTimer: Cleanup = this.#clock.timer(PREFACE_TIMEOUT_MS, () => session.destroy());
    const rest = (): void => {
      stopTimer();
      stopTimer = this.#clock.timer(IDLE_TIMEOUT_MS, () => session.close());
    };
    session.once("remoteSettings", () => {
      if (this.#streamCounts.get(session) === 0 && !this.#leaving) rest();
    });
    session.on("stream", (stream) => {
      this.#count(session, 1);
      stopTimer();
      stream.once("close", () => {
        if (this.#count(session, -1) > 0 || session.closed) return;
        if (this.#leaving) session.close();
        else rest();
      });
    });
    session.once("close", () => {
      stopTimer();
      this.#streamCounts.delete(session);
    });
  }

  #count(session: ServerHttp2Session, change: 1 | -1): number {
    const count = (this.#streamCounts.get(session) ?? 0) + change;
    if (this.#streamCounts.has(session)) this.#streamCounts.set(session, count);
    return count;
  }

  /**
   * In two steps where there are streams, so that calls already on their way get an
   * answer: a notice, a ping there and back, then the real one (RFC 9113 6.8). Without
   * streams HTTP/2 ends with the first GOAWAY, and no ping would come back.
   */
  #sendAway(session: ServerHttp2Session): void {
    if (session.closed || session.destroyed) return;
    if (this.#streamCounts.get(session) === 0) {
      session.close();
      return;
    }
    session.goaway(0, LAST_STREAM_ID);
    const close = (): void => {
      stopTimer();
      if (!session.closed) session.close();
    };
    const stopTimer = this.#clock.timer(GOAWAY_PING_TIMEOUT_MS, close);
    session.once("close", stopTimer);
    if (!session.ping(close)) close();
  }
}
