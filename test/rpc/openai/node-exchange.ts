import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Cleanup } from "../../../src/domain/ports.ts";
import type { CancelCause } from "../../../src/service/call.ts";
import type { BodyFailure, HttpDoor, HttpExchange } from "../../../src/service/http-exchange.ts";

/** The plainest exchange over node:http that keeps the contract. For tests; the server has its own. */
class NodeExchange implements HttpExchange {
  readonly requestId = "request-1";
  readonly traceparent = undefined;
  readonly peer = "127.0.0.1:1";
  readonly arrivedMs = performance.now();
  readonly deadlineMs = this.arrivedMs + 60_000;
  readonly httpMethod: string;
  readonly path: string;
  cancelled: CancelCause | undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #cancelListeners = new Set<(cause: CancelCause) => void>();

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    this.httpMethod = request.method ?? "";
    this.path = (request.url ?? "").replace(/\?.*$/, "");
    response.on("close", () => {
      if (response.writableFinished) return;
      this.cancelled = "caller_gone";
      for (const fn of [...this.#cancelListeners]) fn("caller_gone");
    });
  }

  onCancel(fn: (cause: CancelCause) => void): Cleanup {
    this.#cancelListeners.add(fn);
    return () => this.#cancelListeners.delete(fn);
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  readBody(done: (body: Uint8Array | BodyFailure) => void): void {
    const pieces: Buffer[] = [];
    this.#request.on("data", (piece: Buffer) => pieces.push(piece));
    this.#request.on("end", () => done(Buffer.concat(pieces)));
  }

  respond(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    this.#response.writeHead(status, headers).end(body);
  }

  begin(status: number, headers: Readonly<Record<string, string>>): void {
    this.#response.writeHead(status, headers);
  }

  write(chunk: string): boolean {
    return this.#response.write(chunk);
  }

  onDrain(fn: () => void): void {
    this.#response.on("drain", fn);
  }

  end(): void {
    this.#response.end();
  }

  abort(): void {
    // What was written goes first; the chunked body stays without its end.
    this.#response.socket?.destroySoon();
  }
}

/** A running test server. */
export interface DoorServer {
  readonly baseUrl: string;
  close(): Promise<void>;
}

/** Serves a door on a free port of this machine. */
export async function serveDoor(door: HttpDoor): Promise<DoorServer> {
  const server: Server = createServer((request, response) => {
    door.handle(new NodeExchange(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
