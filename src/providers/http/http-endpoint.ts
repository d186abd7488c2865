import { Pool } from "undici";
import type { HttpProviderConfig } from "../../config/config.ts";
import type { ProviderFailure } from "../../domain/outcome.ts";
import type { Clock, Provider, ProviderCall } from "../../domain/ports.ts";
import type { RuleProvider } from "../failures/error-rules.ts";
import type { AnswerDecoder } from "./answer-decoder.ts";
import { HttpAttempt } from "./http-attempt.ts";
import { listModels } from "./list-models.ts";
import { refuseAttempt } from "./refuse-attempt.ts";

/** What providers over HTTP need from outside. */
export interface HttpProviderDeps {
  readonly clock: Clock;
  /** Sent as `user-agent`, for example `sluice/0.1.0`. */
  readonly userAgent: string;
}

/** What differs from one dialect to another. */
export interface HttpDialect {
  /** Whose error rules hold beside those for all. */
  readonly provider: RuleProvider;
  /** Appended to the path of the base URL; begins with a slash. */
  readonly path: string;
  /** Where `GET` lists the models; absent where the provider has no list. */
  readonly modelsPath?: string;
  /** Sent with every request beside what all dialects send; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Why a request cannot be told in this dialect at all; undefined when it can. */
  refuseRequest?(call: ProviderCall): ProviderFailure | undefined;
  /** Writes the body of one request as JSON. */
  encodeRequest(call: ProviderCall): string;
  /** Makes what reads the body of a successful answer. */
  openDecoder(call: ProviderCall, httpStatus: number): AnswerDecoder;
}

const KEEP_ALIVE_TIMEOUT_MS = 60_000;
const MAX_ANSWER_HEADER_BYTES = 32 * 1024;

/**
 * A provider that speaks a dialect over HTTP/1.1. It sets no time limit but the one
 * for connecting: the router owns the others. Redirects are not followed, since they
 * would carry the credential to another place.
 */
export function createHttpProvider(
  config: HttpProviderConfig,
  dialect: HttpDialect,
  deps: HttpProviderDeps,
): Provider {
  const { origin, pathname } = new URL(config.baseUrl);
  const basePath = pathname.replace(/\/+$/, "");
  const path = `${basePath}${dialect.path}`;
  const pool = new Pool(origin, {
    connections: config.maxConnections,
    pipelining: 1,
    // One attempt holds one connection, so aborting it can be told to the server by closing that.
    allowH2: false,
    connect: { timeout: config.connectTimeoutMs },
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
  });
  const fixedHeaders = {
    accept: "text/event-stream, application/x-ndjson, application/json",
    "accept-encoding": "identity",
    "content-type": "application/json",
    "user-agent": deps.userAgent,
    ...dialect.headers,
  };

  function encodeHeaders(call: ProviderCall): Record<string, string> {
    const headers: Record<string, string> = { ...fixedHeaders, "x-request-id": call.attemptId };
    if (call.traceparent !== undefined) headers.traceparent = call.traceparent;
    return headers;
  }

  const { modelsPath } = dialect;
  return {
    name: config.name,
    simulated: false,
    ...(modelsPath !== undefined && {
      listModels: (timeoutMs: number) =>
        listModels(pool, `${basePath}${modelsPath}`, fixedHeaders, timeoutMs),
    }),
    start(call, sink) {
      const refusal = dialect.refuseRequest?.(call);
      if (refusal !== undefined) return refuseAttempt(refusal, sink);
      const openDecoder = (httpStatus: number) => dialect.openDecoder(call, httpStatus);
      const attempt = new HttpAttempt(deps.clock, sink, dialect.provider, openDecoder, config.apiKey);
      pool.dispatch(
        { method: "POST", path, headers: encodeHeaders(call), body: dialect.encodeRequest(call) },
        attempt,
      );
      return attempt;
    },
    close: () => pool.destroy(),
  };
}

/** `Authorization: Bearer …` (RFC 6750 2.1), or nothing where there is no key. */
export function bearerHeaders({ apiKey }: HttpProviderConfig): Readonly<Record<string, string>> {
  return apiKey === undefined ? {} : { authorization: `Bearer ${apiKey.reveal()}` };
}
