/** Which web pages may call from a browser (Fetch standard, 3.2 CORS protocol). */

/** How long a browser may remember a preflight. Chromium remembers none for longer. */
const MAX_AGE_SECONDS = 7_200;

/** What pages may send: what the three RPC protocols and the doors read. */
const REQUEST_HEADERS = [
  "authorization",
  "connect-protocol-version",
  "connect-timeout-ms",
  "content-type",
  "grpc-timeout",
  "traceparent",
  "x-grpc-web",
  "x-request-id",
  "x-user-agent",
].join(", ");

/** What pages may read beside the body. Connect's unary calls carry trailers as headers with a prefix. */
const RESPONSE_HEADERS = [
  "grpc-message",
  "grpc-retry-pushback-ms",
  "grpc-status",
  "grpc-status-details-bin",
  "retry-after",
  "retry-after-ms",
  "trailer-grpc-retry-pushback-ms",
  "x-request-id",
  "x-should-retry",
  "x-sluice-attempts",
  "x-sluice-reason",
].join(", ");

/** The request headers that the protocol looks at. */
export interface CorsRequest {
  readonly httpMethod: string;
  readonly origin: string | undefined;
  /** `access-control-request-method`; only preflights have it. */
  readonly requestedMethod: string | undefined;
}

/** What an answer says of CORS. */
export interface CorsAnswer {
  /** To set on the answer, whatever it is, errors too: pages must be able to read them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the request is a preflight: it is answered at once, with 204 or 403, and goes nowhere. */
  readonly preflight: "allowed" | "refused" | undefined;
}

/** Decides by a fixed list of origins. Cookies are never allowed, so nothing a browser keeps can be misused. */
export class CorsPolicy {
  readonly #origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /** What to say to a request. Without configured origins it says nothing to anybody. */
  answer({ httpMethod, origin, requestedMethod }: CorsRequest): CorsAnswer {
    const isPreflight = httpMethod === "OPTIONS" && origin !== undefined && requestedMethod !== undefined;
    if (this.#origins.size === 0) {
      return { headers: {}, preflight: isPreflight ? "refused" : undefined };
    }
    // Shared caches must not give one origin what was meant for another.
    const vary = { vary: "origin" };
    if (origin === undefined || !this.#origins.has(origin)) {
      return { headers: vary, preflight: isPreflight ? "refused" : undefined };
    }
    const allowed = { ...vary, "access-control-allow-origin": origin };
    if (!isPreflight) {
      return {
        headers: { ...allowed, "access-control-expose-headers": RESPONSE_HEADERS },
        preflight: undefined,
      };
    }
    return {
      headers: {
        ...allowed,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": REQUEST_HEADERS,
        "access-control-max-age": `${MAX_AGE_SECONDS}`,
      },
      preflight: "allowed",
    };
  }
}
