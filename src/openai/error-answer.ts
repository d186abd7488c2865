/** Errors in OpenAI's shape, `{"error":{"message","type","param","code"}}`. */

import type { ErrorReason, RouteError } from "../domain/errors.ts";
import type { Fault } from "./fault.ts";

/** The types of errors that clients know (platform.openai.com, error codes). */
export type ErrorType = "invalid_request_error" | "requests" | "insufficient_quota" | "server_error";

interface ErrorRow {
  /** The HTTP status (RFC 9110; 499 is nginx's for a client that left and never reaches one). */
  readonly status: number;
  readonly type: ErrorType;
  readonly code: string;
  /** The parameter to look at, where a reason always has the same. */
  readonly param?: string;
  /**
   * Whether the same request may fare better soon. Sent as `x-should-retry`, because OpenAI's
   * clients by themselves try again after every 429 and 5xx.
   */
  readonly isRetryable: boolean;
}

/**
 * What each reason becomes. Two rules: trouble with Sluice's own credential is never
 * 401 or 403, for the caller's is fine; and 429 says by its code whether waiting helps.
 */
export const ERROR_ROWS: Readonly<Record<ErrorReason, ErrorRow>> = {
  INVALID_REQUEST: invalidRow(400, "invalid_value"),
  MODEL_NOT_FOUND: { ...invalidRow(404, "model_not_found"), param: "model" },
  NO_MODEL_MEETS_REQUIREMENTS: invalidRow(400, "no_model_meets_requirements"),
  NO_DEPLOYMENT_AVAILABLE: serverRow(503, "no_deployment_available", true),
  CONCURRENCY_LIMIT_REACHED: limitRow("rate_limit_exceeded"),
  DEADLINE_EXCEEDED: serverRow(504, "deadline_exceeded", false),
  UNAUTHENTICATED: invalidRow(401, "invalid_api_key"),
  PERMISSION_DENIED: invalidRow(403, "permission_denied"),
  REQUEST_TOO_LARGE: invalidRow(413, "request_too_large"),
  CANCELLED: serverRow(499, "cancelled", false),
  DRAINING: serverRow(503, "draining", true),
  UPSTREAM_AUTH: serverRow(502, "upstream_auth", false),
  UPSTREAM_REJECTED_REQUEST: invalidRow(400, "upstream_rejected_request"),
  CONTEXT_LENGTH_EXCEEDED: { ...invalidRow(400, "context_length_exceeded"), param: "messages" },
  CONTENT_FILTERED: { ...invalidRow(400, "content_policy_violation"), param: "messages" },
  UPSTREAM_RATE_LIMITED: limitRow("rate_limit_exceeded"),
  UPSTREAM_QUOTA_EXHAUSTED: {
    status: 429,
    type: "insufficient_quota",
    code: "insufficient_quota",
    isRetryable: false,
  },
  MODEL_UNAVAILABLE: serverRow(503, "model_unavailable", true),
  NAMED_MODEL_UNAVAILABLE: { ...invalidRow(404, "model_not_found"), param: "model" },
  UPSTREAM_ERROR: serverRow(502, "upstream_error", true),
  UPSTREAM_OVERLOADED: serverRow(503, "upstream_overloaded", true),
  UPSTREAM_TIMEOUT: serverRow(504, "upstream_timeout", true),
  UPSTREAM_UNREACHABLE: serverRow(502, "upstream_unreachable", true),
  UPSTREAM_STREAM_CUT: serverRow(502, "upstream_stream_cut", true),
  STREAM_INTERRUPTED: serverRow(502, "stream_interrupted", true),
  INTERNAL: serverRow(500, "internal_error", false),
};

/** A whole error answer, ready for `HttpExchange.respond`. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The answer for an error of the router. `x-sluice-reason` carries its exact reason. */
export function answerRouteError(error: RouteError): ErrorAnswer {
  const row = ERROR_ROWS[error.reason];
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "x-sluice-reason": error.reason,
    "x-should-retry": `${row.isRetryable}`,
  };
  // RFC 9110 11.6.1: a 401 says how to authenticate.
  if (row.status === 401) headers["www-authenticate"] = "Bearer";
  if (error.failed !== undefined) headers["x-sluice-attempts"] = `${error.failed.attempts.length}`;
  if (error.retryAfterMs !== undefined) {
    // RFC 9110 knows whole seconds only; OpenAI's clients read the finer header first.
    headers["retry-after"] = `${Math.ceil(error.retryAfterMs / 1_000)}`;
    headers["retry-after-ms"] = `${Math.ceil(error.retryAfterMs)}`;
  }
  return { status: row.status, headers, body: encodeRouteError(error) };
}

/** The body for an error of the router; also what a broken stream ends with. */
export function encodeRouteError(error: RouteError): string {
  const row = ERROR_ROWS[error.reason];
  const [first] = error.violations ?? [];
  const listed = error.violations?.map(({ field, description }) => `${field} ${description}`) ?? [];
  const message = listed.length === 0 ? error.message : `${error.message}: ${listed.join("; ")}`;
  return encodeError(message, row.type, first?.field ?? row.param ?? null, row.code);
}

/** The answer for a request that could not be read; `faults` is never empty. */
export function answerFaults(faults: readonly Fault[]): ErrorAnswer {
  const [first] = faults;
  const message = faults.map(({ param, message }) => `${param || "the body"} ${message}`).join("; ");
  const headers = { "x-sluice-reason": "INVALID_REQUEST" };
  return answerRefusal(400, first?.code ?? "invalid_value", message, first?.param || null, headers);
}

/** The answer for a request refused for its method, its path or the way it was sent. */
export function answerRefusal(
  status: number,
  code: string,
  message: string,
  param: string | null = null,
  headers: Readonly<Record<string, string>> = {},
): ErrorAnswer {
  return {
    status,
    headers: { "content-type": "application/json", "x-should-retry": "false", ...headers },
    body: encodeError(message, "invalid_request_error", param, code),
  };
}

function encodeError(message: string, type: ErrorType, param: string | null, code: string): string {
  return JSON.stringify({ error: { message, type, param, code } });
}

function invalidRow(status: number, code: string): ErrorRow {
  return { status, type: "invalid_request_error", code, isRetryable: false };
}

function limitRow(code: string): ErrorRow {
  return { status: 429, type: "requests", code, isRetryable: true };
}

function serverRow(status: number, code: string, isRetryable: boolean): ErrorRow {
  return { status, type: "server_error", code, isRetryable };
}
