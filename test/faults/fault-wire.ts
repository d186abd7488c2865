import type { Socket } from "node:net";
import { type CannedDialect, TOKENS, TOKENS_BEFORE_FAULT } from "./canned-answer.ts";
import type { Moment } from "./fault.ts";

/** What differs from the head of a sound answer. */
export interface HeadChanges {
  readonly status?: string;
  readonly version?: "1.0" | "1.1";
  /** `undefined` leaves the header out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** How the body is delimited: in chunks unless a length or the end of the connection does it. */
  readonly framing?: "chunked" | "close" | number;
}

/**
 * The server's side of one exchange, on a bare socket, so that every byte can be wrong.
 * Whatever waits, stops when the socket closes.
 */
export class FaultWire {
  readonly dialect: CannedDialect;
  /** A text that must not reach the caller nor any log. */
  readonly canary: string;
  readonly #socket: Socket;
  readonly #onComplete: () => void;
  #isChunked = true;

  /** `onComplete` hears that the answer was sent whole, so that the connection may stay open. */
  constructor(socket: Socket, dialect: CannedDialect, canary: string, onComplete: () => void) {
    this.#socket = socket;
    this.dialect = dialect;
    this.canary = canary;
    this.#onComplete = onComplete;
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  /** Puts bytes on the wire as they are; false when the other side reads too slowly. */
  raw(bytes: string | Buffer): boolean {
    return this.#socket.writable && this.#socket.write(bytes);
  }

  /** The head of an answer. */
  head({ status = "200 OK", version = "1.1", headers = {}, framing = "chunked" }: HeadChanges = {}): void {
    this.#isChunked = framing === "chunked";
    const all: Record<string, string | undefined> = {
      "content-type": this.dialect.contentType,
      ...(framing === "chunked" ? { "transfer-encoding": "chunked" } : {}),
      ...(typeof framing === "number" ? { "content-length": `${framing}` } : {}),
      ...headers,
    };
    const lines = Object.entries(all).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}: ${value}`],
    );
    this.raw(`HTTP/${version} ${status}\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`);
  }

  /** A piece of the body. */
  body(bytes: string | Buffer): boolean {
    const piece = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    if (piece.length === 0) return true;
    if (!this.#isChunked) return this.raw(piece);
    return this.raw(
      Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]),
    );
  }

  /** Ends a body in chunks as it should be. */
  endBody(): void {
    if (this.#isChunked) this.raw("0\r\n\r\n");
    this.#onComplete();
  }

  /** A whole answer with its length. */
  answer(status: string, body: string | Buffer, headers: HeadChanges["headers"] = {}): void {
    const bytes = Buffer.from(body);
    this.head({
      status,
      framing: bytes.length,
      headers: { "content-type": "application/json", ...headers },
    });
    this.raw(bytes);
    this.#onComplete();
  }

  /** Everything sound up to a moment. */
  advance(moment: Moment): void {
    if (moment === "connecting" || moment === "before_headers") return;
    this.head();
    this.body(bodyUntil(this.dialect, moment));
  }

  /** Everything sound from a moment on, to the end. */
  proceed(moment: Moment): void {
    if (moment === "connecting" || moment === "before_headers") this.head();
    this.body(bodyFrom(this.dialect, moment));
    this.endBody();
  }

  /** Hangs up as a process does that ends. */
  hangUp(): void {
    this.#socket.end(() => this.#socket.destroy());
  }

  /** Sends FIN and goes on reading. */
  halfClose(): void {
    this.#socket.end();
  }

  /** Hangs up with an RST. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Goes on a little later, when what was sent has surely been put on the wire. */
  later(fn: () => void, delayMs = 5): void {
    const timer = setTimeout(fn, delayMs);
    this.#socket.once("close", () => clearTimeout(timer));
  }

  /** Goes on again and again until the socket closes. */
  every(delayMs: number, fn: () => void): void {
    const timer = setInterval(fn, delayMs);
    this.#socket.once("close", () => clearInterval(timer));
  }

  /** Sends what `next` gives until it gives nothing, as fast as the other side reads. */
  pump(next: () => string | Buffer | undefined, onDone: () => void = () => {}): void {
    const step = () => {
      while (!this.isClosed) {
        const piece = next();
        if (piece === undefined) return onDone();
        if (!this.body(piece)) {
          this.#socket.once("drain", step);
          return;
        }
      }
    };
    step();
  }
}

/** The sound body up to a moment. */
export function bodyUntil(dialect: CannedDialect, moment: Moment): string {
  if (moment === "after_tokens") {
    return dialect.opening.join("") + tokenFrames(dialect, 0, TOKENS_BEFORE_FAULT);
  }
  if (moment !== "before_usage") return "";
  return dialect.opening.join("") + tokenFrames(dialect, 0) + dialect.beforeUsage.join("");
}

/** The sound body from a moment on. */
export function bodyFrom(dialect: CannedDialect, moment: Moment): string {
  const ending = dialect.ending.join("");
  if (moment === "before_usage") return ending;
  const closing = dialect.beforeUsage.join("") + ending;
  if (moment === "after_tokens") return tokenFrames(dialect, TOKENS_BEFORE_FAULT) + closing;
  return dialect.opening.join("") + tokenFrames(dialect, 0) + closing;
}

/** The whole sound body. */
export function wholeBody(dialect: CannedDialect): string {
  return bodyFrom(dialect, "after_headers");
}

/** The sound body up to the end of the tokens, without anything that ends it. */
export function bodyOfTokens(dialect: CannedDialect): string {
  return dialect.opening.join("") + tokenFrames(dialect, 0);
}

function tokenFrames(dialect: CannedDialect, from: number, to?: number): string {
  return TOKENS.slice(from, to)
    .map((text) => dialect.token(text))
    .join("");
}
