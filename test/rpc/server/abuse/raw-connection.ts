import { connect, type Socket } from "node:net";
import { FLAG, FRAME, type Frame, frame, PREFACE, parseFrames, settings } from "./http2-frames.ts";

/** A connection that sends what it is told, well-formed or not, and keeps what comes back. */
export class RawConnection {
  readonly socket: Socket;
  /** Resolves when the connection is there, or closed without having been. */
  readonly opened: Promise<void>;
  /** Resolves when the connection is closed, by whoever. */
  readonly closed: Promise<void>;
  #answeredCount = 0;
  /** Everything received. */
  received = Buffer.alloc(0);
  isClosed = false;

  constructor(port: number, localAddress = "127.0.0.1") {
    this.socket = connect({ port, host: "127.0.0.1", localAddress });
    // A server that cuts an abuser off resets the connection: that is what tests wait for.
    this.socket.on("error", () => {});
    this.socket.on("data", (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    const connected = new Promise<void>((resolve) => this.socket.once("connect", resolve));
    this.closed = new Promise((resolve) => {
      this.socket.once("close", () => {
        this.isClosed = true;
        resolve();
      });
    });
    this.opened = Promise.race([connected, this.closed]);
  }

  /** An HTTP/2 connection whose preface and settings are sent. */
  static http2(port: number, options: { localAddress?: string; settings?: Buffer } = {}): RawConnection {
    const connection = new RawConnection(port, options.localAddress);
    connection.send(PREFACE, options.settings ?? settings(), frame(FRAME.settings, FLAG.ack, 0));
    return connection;
  }

  /** From now on answers each PING of the server, as all clients do. */
  answerPings(): void {
    this.socket.on("data", () => {
      const pings = this.frames.filter(({ type, flags }) => type === FRAME.ping && flags === 0);
      for (const { payload } of pings.slice(this.#answeredCount)) {
        this.send(frame(FRAME.ping, FLAG.ack, 0, payload));
      }
      this.#answeredCount = pings.length;
    });
  }

  send(...pieces: readonly (Buffer | string)[]): void {
    if (!this.socket.writable) return;
    this.socket.write(
      Buffer.concat(pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece) : piece))),
    );
  }

  /** Sends `piece` again and again as the network takes it, until the connection closes or `count` are sent. */
  async flood(piece: Buffer, count: number): Promise<void> {
    for (let sent = 0; sent < count && !this.isClosed && this.socket.writable; sent++) {
      if (this.socket.write(piece)) continue;
      await Promise.race([this.closed, new Promise((resolve) => this.socket.once("drain", resolve))]);
    }
  }

  /** The HTTP/2 frames received so far. */
  get frames(): readonly Frame[] {
    return parseFrames(this.received).frames;
  }

  close(): void {
    this.socket.destroy();
  }
}
