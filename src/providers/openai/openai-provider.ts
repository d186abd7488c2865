import { Pool } from "undici";
import type { OpenAiProviderConfig } from "../../config/config.ts";
import type { Clock, Provider, ProviderCall } from "../../domain/ports.ts";
import { encodeRequest } from "./encode-request.ts";
import { OpenAiAttempt } from "./openai-attempt.ts";

/** What the provider needs from outside. */
export interface OpenAiProviderDeps {
  readonly clock: Clock;
  /** Sent as `user-agent`, for example `sluice/0.1.0`. */
  readonly userAgent: string;
}

const KEEP_ALIVE_TIMEOUT_MS = 60_000;
const MAX_ANSWER_HEADER_BYTES = 32 * 1024;

/**
 * A provider that speaks OpenAI's chat completions over HTTP/1.1. It sets no time
 * limit but the one for connecting: the router owns the others. Redirects are not
 * followed, since they would carry the credential to another place.
 */
export function createOpenAiProvider(config: OpenAiProviderConfig, deps: OpenAiProviderDeps): Provider {
  const { origin, pathname } = new URL(config.baseUrl);
  const path = `${pathname.replace(/\/+$/, "")}/chat/completions`;
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
    accept: "text/event-stream, application/json",
    "accept-encoding": "identity",
    "content-type": "application/json",
    "user-agent": deps.userAgent,
  };

  function encodeHeaders(call: ProviderCall): Record<string, string> {
    const headers: Record<string, string> = { ...fixedHeaders, "x-request-id": call.attemptId };
    if (config.apiKey) headers.authorization = `Bearer ${config.apiKey.reveal()}`;
    if (call.traceparent !== undefined) headers.traceparent = call.traceparent;
    return headers;
  }

  return {
    name: config.name,
    simulated: false,
    start(call, sink) {
      const attempt = new OpenAiAttempt(call.attemptId, deps.clock, sink);
      pool.dispatch(
        { method: "POST", path, headers: encodeHeaders(call), body: encodeRequest(call) },
        attempt,
      );
      return attempt;
    },
    close: () => pool.destroy(),
  };
}
