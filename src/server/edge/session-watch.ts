import { constants, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { ServerLimits } from "../../config/server-limits.ts";
import type { Cleanup, Clock, Logger, Random } from "../../domain/ports.ts";
import { TokenBucket } from "../../lib/token-bucket.ts";
import type { AddressResets } from "./address-resets.ts";
import { drawMaxAgeMs } from "./connection-age.ts";
import { FreeingOrder } from "./freeing-order.ts";
import { CONNECTION_WINDOW_BYTES } from "./http2-options.ts";

/** How long a peer may take to answer the ping between the two GOAWAYs. */
const GOAWAY_PING_TIMEOUT_MS = 1_000;
/** The highest stream id there is: "I am leaving, but I still take what is on its way" (RFC 9113 6.8). */
const LAST_STREAM_ID = 2 ** 31 - 1;

/** How long a peer that was told to leave has to read that. */
const LAST_WORDS_TIMEOUT_MS = 1_000;

/** The answer to a PING takes 17 bytes, and as many again or somewhat more for TLS. */
const PING_ANSWER_BYTES = 64;

/** What watching takes. */
export interface WatchParts {
  readonly limits: ServerLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Watches over one HTTP/2 connection: windows, silence, signs of life, age, abuse of
 * control frames, and the way out.
 */
export class SessionWatch {
  readonly session: ServerHttp2Session;
  /** The connection itself. Node closes it after what was written is out, which with a peer that does not read is never. */
  readonly #socket: Socket;
  readonly #parts: WatchParts;
  readonly #resets: AddressResets;
  #streamCount = 0;
  #leaving = false;
  #closed = false;
  #stopQuiet: Cleanup;
  #stopKeepAlive: Cleanup = () => {};
  #stopAge: Cleanup;

  constructor(session: ServerHttp2Session, socket: Socket, parts: WatchParts, resets: AddressResets) {
    const { limits, clock, random } = parts;
    this.session = session;
    this.#socket = socket;
    this.#parts = parts;
    this.#resets = resets;
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    this.#stopQuiet = clock.timer(limits.headersTimeoutMs, () => this.#reap("no preface"));
    this.#stopAge = clock.timer(drawMaxAgeMs(limits.maxAgeMs, random), () => this.#retire());
    session.once("remoteSettings", () => {
      if (this.#streamCount === 0 && !this.#leaving) this.#rest();
      this.#stopKeepAlive = clock.timer(limits.headersTimeoutMs, () => this.#probe());
    });
    session.once("goaway", () => {
      // A caller that leaves is asked at once whether it is still there for its last calls.
      this.#stopKeepAlive();
      this.#probe();
    });
    const freeingOrder = new FreeingOrder(session);
    session.on("stream", (stream) => {
      this.#streamCount++;
      this.#stopQuiet();
      const holdSession = freeingOrder.follow(stream);
      stream.once("close", () => {
        holdSession();
        // With whatever code: those who count on NO_ERROR being harmless cost as much.
        if (stream.aborted) this.#countReset();
        this.#onStreamClose();
      });
    });
    this.#countFrames();
    session.once("close", () => this.#stopAll());
  }

  /**
   * Sends the caller elsewhere, in two steps where there are streams, so that calls already
   * on their way get an answer: a notice, a ping there and back, then the real GOAWAY (RFC
   * 9113 6.8). Without streams HTTP/2 ends with the first one, and no ping would come back.
   */
  leave(): void {
    const { session } = this;
    if (this.#leaving || session.closed || session.destroyed) return;
    this.#leaving = true;
    if (this.#streamCount === 0) {
      session.close();
      return;
    }
    session.goaway(0, LAST_STREAM_ID);
    const close = (): void => {
      stopTimer();
      if (!session.closed) session.close();
    };
    const stopTimer = this.#parts.clock.timer(GOAWAY_PING_TIMEOUT_MS, close);
    session.once("close", stopTimer);
    if (!session.ping(close)) close();
  }

  /** For a connection that opens while the server leaves: its first answer is its last. */
  leaveAfterFirst(): void {
    this.#leaving = true;
  }

  #onStreamClose(): void {
    this.#streamCount--;
    if (this.#streamCount > 0 || this.session.closed || this.session.destroyed) return;
    if (this.#leaving) this.session.close();
    else this.#rest();
  }

  #rest(): void {
    const { clock, limits } = this.#parts;
    this.#stopQuiet();
    this.#stopQuiet = clock.timer(limits.idleTimeoutMs, () => this.leave());
  }

  /** Too old: no new calls, and after the grace none at all. */
  #retire(): void {
    const { clock, limits } = this.#parts;
    this.leave();
    this.#stopAge = clock.timer(limits.maxAgeGraceMs, () =>
      this.#reap("calls outlived the connection's age"),
    );
  }

  /** Half-open connections, and those stuck in the middle of a header block, give no sign of life. */
  #probe(): void {
    const { clock, limits } = this.#parts;
    const { session } = this;
    // Ended, by us or by Node for a broken frame, and the peer does not read what came before the end.
    if (session.destroyed) return this.#reap("no sign of life");
    this.#stopKeepAlive = clock.timer(limits.keepAliveTimeoutMs, () => this.#reap("no sign of life"));
    session.ping((error) => {
      if (error !== null || session.destroyed) return;
      this.#stopKeepAlive();
      this.#stopKeepAlive = clock.timer(limits.keepAliveIntervalMs, () => this.#probe());
    });
  }

  #countFrames(): void {
    const { clock, limits } = this.#parts;
    const nowMs = clock.nowMs();
    const pings = new TokenBucket(limits.pingBurstCount, limits.pingsPerSecond, nowMs);
    const settings = new TokenBucket(limits.settingsBurstCount, limits.settingsPerSecond, nowMs);
    const { socket } = this.session;
    let sentBytes = socket.bytesWritten;
    this.session.on("ping", () => {
      // gRPC clients measure the network with pings while answers flow.
      const isAnswering = socket.bytesWritten - sentBytes > PING_ANSWER_BYTES;
      sentBytes = socket.bytesWritten;
      if (!isAnswering && !pings.take(clock.nowMs())) this.#expel("too_many_pings");
    });
    this.session.on("remoteSettings", () => {
      if (!settings.take(clock.nowMs())) this.#expel("too_many_settings");
    });
  }

  #countReset(): void {
    const { session } = this;
    // A connection that breaks off cancels its streams too: the network's doing, not the caller's.
    if (session.closed || session.destroyed) return;
    if (!this.#resets.take(session.socket?.remoteAddress, this.#parts.clock.nowMs())) {
      this.#expel("too_many_resets");
    }
  }

  /** Ends the connection of a caller that only makes work (RFC 9113 10.5). */
  #expel(why: string): void {
    const { session } = this;
    if (session.destroyed) return;
    this.#log(why);
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from(why));
    // Not now: this runs inside the parser, and GOAWAY must get out first.
    this.#stopQuiet();
    this.#stopQuiet = this.#parts.clock.timer(0, () => {
      session.destroy();
      if (!this.#closed) {
        this.#stopQuiet = this.#parts.clock.timer(LAST_WORDS_TIMEOUT_MS, () => this.#socket.destroy());
      }
    });
  }

  /** Breaks off; what Node has not written yet is lost. */
  destroy(): void {
    this.session.destroy();
    this.#socket.destroy();
  }

  #reap(why: string): void {
    this.#log(why);
    this.destroy();
  }

  #log(why: string): void {
    this.#parts.logger.info("an HTTP/2 connection was ended", { error: why, count: this.#streamCount });
  }

  #stopAll(): void {
    this.#closed = true;
    this.#stopQuiet();
    this.#stopKeepAlive();
    this.#stopAge();
  }
}
