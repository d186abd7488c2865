import type { Socket } from "node:net";
import type { Cleanup, Clock } from "../../domain/ports.ts";
import type { CapReached } from "./connection-caps.ts";

/** How long the caller has to say which protocol it speaks, and then to take the answer. */
const REFUSAL_TIMEOUT_MS = 1_000;

/** More callers than this are refused without a word: a refusal must cost less than what it refuses. */
const MAX_SPOKEN_COUNT = 64;

const MESSAGES: Readonly<Record<CapReached, string>> = {
  total: "this server has all the connections that it takes",
  address: "this address has all the connections that it may have",
};

/** Tells callers without TLS, in their own protocol, why their connection is closed. */
export class ConnectionRefusal {
  readonly #clock: Clock;
  readonly #sockets = new Set<Socket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Answers the first bytes that come and closes; soon in any case. */
  refuse(socket: Socket, why: CapReached): void {
    if (this.#sockets.size >= MAX_SPOKEN_COUNT) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    let stopTimer: Cleanup = this.#clock.timer(REFUSAL_TIMEOUT_MS, () => socket.destroy());
    socket.once("close", () => {
      stopTimer();
      this.#sockets.delete(socket);
    });
    socket.once("data", (bytes: Buffer) => {
      stopTimer();
      stopTimer = this.#clock.timer(REFUSAL_TIMEOUT_MS, () => socket.destroy());
      socket.end(bytes.toString("latin1", 0, 3) === "PRI" ? encodeGoaway(why) : encodeHttp1(why));
      // What comes now is read and dropped, so that the answer is not lost in a reset.
      socket.resume();
    });
  }

  /** Closes what is being refused. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** SETTINGS and GOAWAY with ENHANCE_YOUR_CALM (RFC 9113 3.4, 6.8, 7). */
function encodeGoaway(why: CapReached): Buffer {
  const text = Buffer.from(MESSAGES[why]);
  const payload = Buffer.alloc(8 + text.length);
  payload.writeUInt32BE(0xb, 4);
  text.copy(payload, 8);
  return Buffer.concat([encodeFrame(0x4, Buffer.alloc(0)), encodeFrame(0x7, payload)]);
}

function encodeFrame(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  return Buffer.concat([head, payload]);
}

function encodeHttp1(why: CapReached): string {
  const error = { message: MESSAGES[why], type: "sluice_error", param: null, code: "too_many_connections" };
  const body = JSON.stringify({ error });
  return [
    "HTTP/1.1 503 Service Unavailable",
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "retry-after: 1",
    "connection: close",
    "",
    body,
  ].join("\r\n");
}
