/** `POST /v1/chat/completions`: from the exchange to the router and back. */

import type { RouteError } from "../domain/errors.ts";
import type { Clock, Random } from "../domain/ports.ts";
import type { Router } from "../router/route.ts";
import type { CancelCause } from "../service/call.ts";
import type { BodyFailure, HttpExchange } from "../service/http-exchange.ts";
import type { AnswerHead } from "./answer-head.ts";
import { makeCompletionId } from "./completion-id.ts";
import { type ChatRequest, decodeChatRequest } from "./decode-chat-request.ts";
import { answerFaults, answerRefusal, answerRouteError, type ErrorAnswer } from "./error-answer.ts";
import { StreamedAnswer } from "./streamed-answer.ts";
import { answerWhole } from "./whole-answer.ts";

/** What answering chats takes. */
export interface ChatParts {
  readonly router: Router;
  readonly catalogNames: ReadonlySet<string>;
  readonly clock: Clock;
  readonly random: Random;
}

const BODY_REFUSALS: Readonly<Record<BodyFailure, ErrorAnswer>> = {
  too_large: answerRefusal(413, "request_too_large", "the body is larger than this server takes"),
  cut_short: answerRefusal(400, "invalid_value", "the body ended before its announced length"),
  unsupported_encoding: answerRefusal(
    415,
    "unsupported_encoding",
    "the content-encoding is not supported; send the body uncompressed",
  ),
};

/** Only JSON is taken: it also keeps web pages from posting here without the browser asking first (CORS). */
const WRONG_MEDIA_TYPE = answerRefusal(
  415,
  "unsupported_media_type",
  "the content-type must be application/json",
);

const STOP_ERRORS: Readonly<Record<Exclude<CancelCause, "caller_gone">, RouteError>> = {
  deadline: { reason: "DEADLINE_EXCEEDED", message: "the deadline passed before the request had come" },
  shutdown: { reason: "DRAINING", message: "this replica is shutting down", retryAfterMs: 0 },
};

/** Answers one chat request. */
export function handleChat(exchange: HttpExchange, parts: ChatParts): void {
  const mediaType = exchange.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    sendError(exchange, WRONG_MEDIA_TYPE);
    return;
  }
  let isStopped = false;
  const cleanup = exchange.onCancel((cause) => {
    isStopped = true;
    if (cause !== "caller_gone") sendError(exchange, answerRouteError(STOP_ERRORS[cause]));
  });
  exchange.readBody((body) => {
    if (isStopped) return;
    cleanup();
    if (typeof body === "string") {
      sendError(exchange, BODY_REFUSALS[body]);
      return;
    }
    const decoded = decodeChatRequest(body, parts.catalogNames);
    if (decoded.kind === "chat") routeChat(exchange, decoded.chat, parts);
    else sendError(exchange, answerFaults(decoded.faults));
  });
}

/** Sends an error as a whole answer. */
export function sendError(exchange: HttpExchange, { status, headers, body }: ErrorAnswer): void {
  exchange.respond(status, headers, body);
}

function routeChat(exchange: HttpExchange, chat: ChatRequest, parts: ChatParts): void {
  const head: AnswerHead = {
    id: makeCompletionId(parts.random),
    createdSeconds: Math.floor(parts.clock.wallMs() / 1_000),
    form: chat.form,
  };
  const answer = chat.form.isStream ? new StreamedAnswer(exchange, head) : answerWhole(exchange, head);
  const { requestId, traceparent, arrivedMs, deadlineMs } = exchange;
  const context = { requestId, traceparent, arrivedMs, deadlineMs };
  const handle = parts.router.route(chat.generation, context, answer);
  exchange.onDrain(() => handle.resume());
  exchange.onCancel((cause) => {
    // The router watches the deadline itself.
    if (cause !== "deadline") handle.cancel(cause);
  });
}
