import { createServer, type RequestListener, type Server } from "node:http";

/** How long a request's headers may take. */
const HEADERS_TIMEOUT_MS = 10_000;
/** How long a whole request may take; calls have their own, shorter deadlines. */
const REQUEST_TIMEOUT_MS = 300_000;
/** Longer than the idle timeout of usual load balancers (60 s), so that it is they who close. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** How often the two timeouts are looked at. */
const CHECK_INTERVAL_MS = 2_000;

/** An HTTP/1.1 server that is given its connections and never listens itself. */
export function createHttp1Server(maxHeaderBytes: number, listener: RequestListener): Server {
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
    listener,
  );
  // Without this Node enforces neither of the timeouts: it starts to look when a server listens.
  server.emit("listening");
  return server;
}
