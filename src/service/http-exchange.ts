/**
 * One HTTP request and its answer, for doors that are not RPC (the OpenAI door).
 * The server implements it over HTTP/1.1 and HTTP/2; the door knows nothing of sockets.
 */

import type { Cleanup } from "../domain/ports.ts";
import type { CancelCause, EdgeContext } from "./call.ts";

/** Why a body could not be read. */
export type BodyFailure = "too_large" | "cut_short" | "unsupported_encoding";

export interface HttpExchange extends EdgeContext {
  /** In capitals: GET, POST … */
  readonly httpMethod: string;
  /** The path without the query. */
  readonly path: string;
  /** When the exchange must be over, on the Clock; always set. */
  readonly deadlineMs: number;
  /** The reason this exchange must stop, or undefined while it may go on. */
  readonly cancelled: CancelCause | undefined;
  /** As `Call.onCancel`: after `deadline` and `shutdown` the door still answers. */
  onCancel(fn: (cause: CancelCause) => void): Cleanup;
  /** The first value of a request header; `name` in lower case. */
  header(name: string): string | undefined;
  /** Reads the whole body, at most the server's limit. Calls `done` once, unless the caller left first. */
  readBody(done: (body: Uint8Array | BodyFailure) => void): void;
  /** Answers at once and whole. */
  respond(status: number, headers: Readonly<Record<string, string>>, body: string): void;
  /** Sends status and headers; `write` and `end` follow. */
  begin(status: number, headers: Readonly<Record<string, string>>): void;
  /** Sends a piece of the body. Returns false when the caller reads too slowly: wait for `onDrain`. */
  write(chunk: string): boolean;
  /** Sets what to call, each time there is room again after `write` returned false. */
  onDrain(fn: () => void): void;
  /** Ends the body. */
  end(): void;
  /** Breaks the connection or stream off after what was written, so that the caller cannot take it for a whole answer. */
  abort(): void;
}

/** Serves some paths. */
export interface HttpDoor {
  /** Whether this door serves the path, whatever the HTTP method. */
  serves(path: string): boolean;
  handle(exchange: HttpExchange): void;
}
