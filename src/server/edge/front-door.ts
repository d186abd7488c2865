import type { Server as HttpServer } from "node:http";
import type { Http2Server } from "node:http2";
import { createServer as createNetServer, type Server as NetServer, type Socket } from "node:net";
import type { Address, TlsConfig } from "../../config/config.ts";
import type { ServerLimits } from "../../config/server-limits.ts";
import type { Clock, Logger } from "../../domain/ports.ts";
import type { ConnectionAges } from "./connection-age.ts";
import { type CapReached, ConnectionCaps } from "./connection-caps.ts";
import { formatPeer } from "./peer-address.ts";
import { ConnectionRefusal } from "./refuse-connection.ts";
import { TlsListener } from "./tls-listener.ts";

/** Finds peers that vanished without a word. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** Refusals are logged at most this often: their number is what counts. */
const REFUSAL_LOG_INTERVAL_MS = 10_000;

/** The first bytes of an HTTP/2 connection (RFC 9113 3.4); no HTTP/1.1 method begins so. */
const PREFACE_START = "PRI";

/** What the front door hands connections to. */
export interface FrontDoorServers {
  readonly http1: HttpServer;
  readonly http2: Http2Server;
}

/** What the front door is made of. */
export interface FrontDoorParts {
  readonly servers: FrontDoorServers;
  readonly limits: ServerLimits;
  readonly ages: ConnectionAges;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One listening port for HTTP/1.1 and HTTP/2. Looks at the first bytes of each
 * connection, with TLS too, and hands it to the server that speaks them.
 */
export class FrontDoor {
  readonly #listener: NetServer;
  readonly #secure: TlsListener | undefined;
  readonly #parts: FrontDoorParts;
  readonly #caps: ConnectionCaps;
  readonly #refusal: ConnectionRefusal;
  readonly #sockets = new Set<Socket>();
  #closed: Promise<void> | undefined;
  #loggedMs = Number.NEGATIVE_INFINITY;
  #refusedCount = 0;

  private constructor(listener: NetServer, secure: TlsListener | undefined, parts: FrontDoorParts) {
    this.#listener = listener;
    this.#secure = secure;
    this.#parts = parts;
    this.#caps = new ConnectionCaps(parts.limits);
    this.#refusal = new ConnectionRefusal(parts.clock);
  }

  /** Opens the port. Rejects when it cannot be bound, or the certificate cannot be read. */
  static async open(address: Address, tls: TlsConfig | undefined, parts: FrontDoorParts): Promise<FrontDoor> {
    const secure = tls && (await TlsListener.create(tls, parts.limits.firstBytesTimeoutMs));
    const listener = secure?.server ?? createNetServer();
    const door = new FrontDoor(listener, secure, parts);
    listener.on("connection", (socket: Socket) => {
      if (door.#track(socket) && secure === undefined) door.#sniff(socket);
    });
    secure?.server.on("secureConnection", (socket) => door.#sniff(socket));
    await listen(listener, address);
    return door;
  }

  /** Where it listens, with the port that was taken. */
  get address(): Address {
    return readBoundAddress(this.#listener);
  }

  /** Reads the certificates again, for connections from now on. Rejects, and changes nothing, when they cannot be used. */
  async reloadCertificates(): Promise<void> {
    await this.#secure?.reload();
  }

  /** Takes no new connections; those open stay. */
  stopAccepting(): void {
    this.#closed ??= new Promise((resolve) => this.#listener.close(() => resolve()));
  }

  /** Breaks off every connection and resolves when all are closed. */
  async destroy(): Promise<void> {
    this.stopAccepting();
    this.#refusal.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await this.#closed;
  }

  /** False when the connection was refused. */
  #track(socket: Socket): boolean {
    socket.on("error", () => {});
    const address = socket.remoteAddress;
    const reached = this.#caps.take(address);
    if (reached !== undefined) {
      this.#refuse(socket, reached);
      return false;
    }
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#caps.giveBack(address);
    });
    return true;
  }

  #refuse(socket: Socket, reached: CapReached): void {
    const { clock, logger } = this.#parts;
    const nowMs = clock.nowMs();
    this.#refusedCount++;
    if (nowMs - this.#loggedMs >= REFUSAL_LOG_INTERVAL_MS) {
      const peer = formatPeer(socket);
      logger.warn("connections were refused", { peer, reason: reached, count: this.#refusedCount });
      this.#loggedMs = nowMs;
      this.#refusedCount = 0;
    }
    if (this.#secure === undefined) this.#refusal.refuse(socket, reached);
    else socket.destroy();
  }

  #sniff(socket: Socket): void {
    if (socket.destroyed) return;
    socket.on("error", () => {});
    const { ages, clock, limits } = this.#parts;
    ages.begin(socket, clock.nowMs());
    const stopTimer = clock.timer(limits.firstBytesTimeoutMs, () => socket.destroy());
    socket.once("close", stopTimer);
    let seen: Buffer = Buffer.alloc(0);
    const look = (chunk: Buffer): void => {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const start = seen.toString("latin1", 0, PREFACE_START.length);
      if (start !== PREFACE_START && PREFACE_START.startsWith(start)) return;
      stopTimer();
      socket.off("close", stopTimer);
      socket.off("data", look);
      this.#handOver(socket, seen, start === PREFACE_START);
    };
    socket.on("data", look);
  }

  #handOver(socket: Socket, seen: Buffer, isHttp2: boolean): void {
    socket.pause();
    socket.unshift(seen);
    if (isHttp2) {
      this.#parts.servers.http2.emit("connection", socket);
    } else {
      this.#parts.servers.http1.emit("connection", socket);
      socket.resume();
    }
  }
}

/** Starts listening. Rejects when the address cannot be bound. */
export async function listen(server: NetServer, address: Address): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Where a listening TCP server listens. */
export function readBoundAddress(server: NetServer): Address {
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the server does not listen on TCP");
  return { host: bound.address, port: bound.port };
}
