import { IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import { constants, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";

/** What Node hands to a request listener, of either HTTP version. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** How long a peer may take to read what was written before an answer is broken off. */
const LAST_BYTES_TIMEOUT_MS = 1_000;

/** Long pieces are cut to this, so that their progress can be seen. */
const PIECE_BYTES = 64 * 1024;

/**
 * One HTTP request and its answer on the wire. Hides what differs between
 * HTTP/1.1 and HTTP/2: how an end is seen, and how to break off.
 */
export class Wire {
  readonly request: NodeRequest;
  readonly #response: ServerResponse;
  readonly #http2Stream: Http2ServerRequest["stream"] | undefined;
  #writtenBytes = 0;
  readonly #closeListeners = new Set<(whole: boolean) => void>();
  #closed = false;
  #brokenOff = false;
  /** Set where the answer must be the last one on its HTTP/1.1 connection. */
  lastOnConnection = false;

  constructor(request: NodeRequest, response: NodeResponse) {
    this.request = request;
    // Node promises that the HTTP/2 compatibility classes answer to the same calls.
    this.#response = response as ServerResponse;
    this.#http2Stream = request instanceof IncomingMessage ? undefined : request.stream;
    // A socket that fails is seen as a close; an `error` nobody listens to would end the process.
    request.on("error", ignore);
    this.#response.on("error", ignore);
    (this.#http2Stream ?? this.#response).once("close", () => this.close());
  }

  get isHttp2(): boolean {
    return this.#http2Stream !== undefined;
  }

  /** The caller has sent all of its request. */
  get requestComplete(): boolean {
    return this.request.complete;
  }

  /** Nothing more can be sent or received. */
  get closed(): boolean {
    return this.#closed;
  }

  get headersSent(): boolean {
    return this.#response.headersSent;
  }

  /** Calls `fn` once at the end; `whole` says whether all of the answer was handed to the network. */
  onClose(fn: (whole: boolean) => void): void {
    this.#closeListeners.add(fn);
  }

  /**
   * The connection is gone. To be called for HTTP/1.1, where an answer may still have waited
   * for others before it.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const stream = this.#http2Stream;
    const whole =
      !this.#brokenOff &&
      (stream === undefined
        ? this.#response.writableFinished
        : stream.writableFinished && stream.rstCode === constants.NGHTTP2_NO_ERROR);
    for (const fn of this.#closeListeners) fn(whole);
    this.#closeListeners.clear();
  }

  /** Sets a header of the answer that is still to come. */
  setHeader(name: string, value: string): void {
    this.#response.setHeader(name, value);
  }

  /** Sends the status line and the headers. */
  writeHead(status: number, headers: OutgoingHttpHeaders): void {
    // A body we did not read to its end is in the way of the next request.
    if (!this.isHttp2 && (this.lastOnConnection || this.#bodyUnread())) {
      this.#response.setHeader("connection", "close");
    }
    this.#response.writeHead(status, headers);
  }

  /** Sends a piece. Returns false when the peer reads too slowly: wait for `onDrain`. */
  write(chunk: string | Uint8Array): boolean {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    this.#writtenBytes += bytes.byteLength;
    if (bytes.byteLength <= PIECE_BYTES) return this.#response.write(bytes);
    let isRoomy = true;
    for (let start = 0; start < bytes.byteLength; start += PIECE_BYTES) {
      isRoomy = this.#response.write(bytes.subarray(start, start + PIECE_BYTES));
    }
    return isRoomy;
  }

  /** Bytes of the answer's body that were given to `write`. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Those of them that the network has not taken yet. */
  get pendingBytes(): number {
    return (this.#http2Stream ?? this.#response).writableLength;
  }

  /** Calls `fn` each time there is room again. */
  onDrain(fn: () => void): void {
    this.#response.on("drain", fn);
  }

  /** Resolves when there is room again, or nothing more can be sent. */
  async drained(): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#response.off("drain", done);
        this.#closeListeners.delete(done);
        resolve();
      };
      this.#response.once("drain", done);
      this.#closeListeners.add(done);
    });
  }

  /** Ends the answer. What is left of the request's body is thrown away. */
  end(trailers?: OutgoingHttpHeaders): void {
    if (trailers !== undefined) this.#response.addTrailers(trailers as Record<string, string>);
    this.#response.end();
    this.request.resume();
  }

  /**
   * Breaks off after what was written: HTTP/2 resets the stream, HTTP/1.1 closes the
   * connection. When all of the answer is out, this only stops the rest of the request
   * (RFC 9113 8.1).
   */
  abort(): void {
    if (this.#closed) return;
    const stream = this.#http2Stream;
    if (stream === undefined) {
      this.#brokenOff = !this.#response.writableFinished;
      const { socket } = this.request;
      // What was written goes out first, unless the peer does not take it.
      socket.setTimeout(LAST_BYTES_TIMEOUT_MS, () => socket.destroy());
      socket.destroySoon();
    } else {
      this.#brokenOff = !stream.writableFinished;
      stream.close(this.#brokenOff ? constants.NGHTTP2_INTERNAL_ERROR : constants.NGHTTP2_NO_ERROR);
    }
  }

  #bodyUnread(): boolean {
    const { complete, headers } = this.request;
    const length = headers["content-length"];
    return !complete && (headers["transfer-encoding"] !== undefined || (length ?? "0") !== "0");
  }
}

function ignore(): void {}
