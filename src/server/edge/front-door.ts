import { readFile } from "node:fs/promises";
import type { Server as HttpServer } from "node:http";
import type { Http2Server } from "node:http2";
import { createServer as createNetServer, type Server as NetServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Address, TlsConfig } from "../../config/config.ts";
import type { Clock } from "../../domain/ports.ts";

/** How long a new connection may stay silent. */
const FIRST_BYTES_TIMEOUT_MS = 10_000;

/** Finds peers that vanished without a word. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** More connections are closed as they come: file descriptors are finite. */
const MAX_CONNECTIONS = 10_000;

/** The first bytes of an HTTP/2 connection (RFC 9113 3.4); no HTTP/1.1 method begins so. */
const PREFACE_START = "PRI";

/** What the front door hands connections to. */
export interface FrontDoorServers {
  readonly http1: HttpServer;
  readonly http2: Http2Server;
}

/**
 * One listening port for HTTP/1.1 and HTTP/2. Looks at the first bytes of each
 * connection, with TLS too, and hands it to the server that speaks them.
 */
export class FrontDoor {
  readonly #listener: NetServer;
  readonly #servers: FrontDoorServers;
  readonly #clock: Clock;
  readonly #sockets = new Set<Socket>();
  #closed: Promise<void> | undefined;

  private constructor(listener: NetServer, servers: FrontDoorServers, clock: Clock) {
    this.#listener = listener;
    this.#servers = servers;
    this.#clock = clock;
  }

  /** Opens the port. Rejects when it cannot be bound, or the certificate cannot be read. */
  static async open(
    address: Address,
    tls: TlsConfig | undefined,
    servers: FrontDoorServers,
    clock: Clock,
  ): Promise<FrontDoor> {
    const listener = tls === undefined ? createNetServer() : await createTlsListener(tls);
    const door = new FrontDoor(listener, servers, clock);
    listener.maxConnections = MAX_CONNECTIONS;
    listener.on("connection", (socket: Socket) => door.#track(socket));
    listener.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) =>
      door.#sniff(socket),
    );
    await listen(listener, address);
    return door;
  }

  /** Where it listens, with the port that was taken. */
  get address(): Address {
    return readBoundAddress(this.#listener);
  }

  /** Takes no new connections; those open stay. */
  stopAccepting(): void {
    this.#closed ??= new Promise((resolve) => this.#listener.close(() => resolve()));
  }

  /** Breaks off every connection and resolves when all are closed. */
  async destroy(): Promise<void> {
    this.stopAccepting();
    for (const socket of this.#sockets) socket.destroy();
    await this.#closed;
  }

  #track(socket: Socket): void {
    socket.on("error", () => {});
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #sniff(socket: Socket): void {
    socket.on("error", () => {});
    const stopTimer = this.#clock.timer(FIRST_BYTES_TIMEOUT_MS, () => socket.destroy());
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
      this.#servers.http2.emit("connection", socket);
    } else {
      this.#servers.http1.emit("connection", socket);
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

async function createTlsListener(tls: TlsConfig): Promise<NetServer> {
  const [cert, key] = await Promise.all([readFile(tls.certificateFile), readFile(tls.privateKeyFile)]);
  return createTlsServer({
    cert,
    key,
    ALPNProtocols: ["h2", "http/1.1"],
    minVersion: "TLSv1.2",
    handshakeTimeout: FIRST_BYTES_TIMEOUT_MS,
  });
}
