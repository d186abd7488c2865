import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";

/** The name of the symbol under which Node keeps the native object behind a session or a stream. */
const HANDLE_SYMBOL_NAME = "kHandle";

/** Keeps what it is given until the object that it is given for was freed. Lives as long as the process: one that is freed keeps nothing. */
const untilFreed = new FinalizationRegistry<object>(() => {});

/**
 * Sees to it that the memory of an HTTP/2 connection is freed after that of its streams, whatever its caller left
 * unfinished. The fields of a header block that has not ended (RFC 9113 4.3) are counted against the connection but
 * held by the stream, and a stream whose answers wait in the socket is freed by the garbage collector, as the
 * connection is: without an order of their own. The connection's accounts must be there until the stream has gone.
 */
export class FreeingOrder {
  readonly #session: object | undefined;

  constructor(session: ServerHttp2Session) {
    this.#session = findHandle(session);
    // A stream that ends before its request was whole is not followed: it goes in the same turn as its connection at the latest.
    session.once("close", () => setImmediate(keep, this.#session));
  }

  /** To be called for each stream while it is open; what is returned, when it has closed. */
  follow(stream: ServerHttp2Stream): () => void {
    const session = this.#session;
    const handle = findHandle(stream);
    return () => {
      // A request that came to its end has no header block that could be open.
      if (stream.readableEnded || session === undefined || handle === undefined) return;
      untilFreed.register(handle, session);
    };
  }
}

/** Whoever waits to call this holds what it is to be called with. */
function keep(_held: object | undefined): void {}

let handleSymbol: symbol | undefined;

/** Undefined where the object is closed already. */
function findHandle(owner: ServerHttp2Session | ServerHttp2Stream): object | undefined {
  handleSymbol ??= Object.getOwnPropertySymbols(owner).find(
    ({ description }) => description === HANDLE_SYMBOL_NAME,
  );
  if (handleSymbol === undefined) return undefined;
  const handle: unknown = Reflect.get(owner, handleSymbol);
  return typeof handle === "object" && handle !== null ? handle : undefined;
}
