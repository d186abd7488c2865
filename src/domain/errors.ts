/**
 * Every error a caller can get. The table is the contract: docs/errors.md must say
 * the same (a test compares them). Reasons are fixed for ever (AIP-193).
 */

import type { FailedAttempts } from "./attempt.ts";

/** gRPC status codes by name (grpc/grpc doc/statuscodes.md). */
export type RpcCode =
  | "CANCELLED"
  | "UNKNOWN"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "UNAUTHENTICATED";

interface ErrorRow {
  readonly code: RpcCode;
  /** What it means and what the caller can do, as in docs/errors.md. */
  readonly meaning: string;
}

export const ERRORS = {
  INVALID_REQUEST: {
    code: "INVALID_ARGUMENT",
    meaning: "A field is missing or wrong; the field violations name each one. Mend the request.",
  },
  MODEL_NOT_FOUND: {
    code: "NOT_FOUND",
    meaning: "The catalog has no model of that name. Ask ListModels for the names.",
  },
  NO_MODEL_MEETS_REQUIREMENTS: {
    code: "FAILED_PRECONDITION",
    meaning:
      "Every candidate was removed; the message says what removed each. Relax the request or name another model.",
  },
  NO_DEPLOYMENT_AVAILABLE: {
    code: "UNAVAILABLE",
    meaning: "Every fitting deployment has an open circuit breaker. Try again after the delay.",
  },
  CONCURRENCY_LIMIT_REACHED: {
    code: "RESOURCE_EXHAUSTED",
    meaning:
      "Every fitting deployment is at its concurrency limit and its queue is full. Try again after the delay.",
  },
  DEADLINE_EXCEEDED: {
    code: "DEADLINE_EXCEEDED",
    meaning: "The caller's deadline, or the server's limit, passed first.",
  },
  UNAUTHENTICATED: {
    code: "UNAUTHENTICATED",
    meaning:
      "The credential is missing or not valid; which of both, and why, only the log tells. Send a valid one.",
  },
  PERMISSION_DENIED: {
    code: "PERMISSION_DENIED",
    meaning: "The caller is known and lacks the scope that the metadata names. The operator grants scopes.",
  },
  REQUEST_TOO_LARGE: {
    code: "RESOURCE_EXHAUSTED",
    meaning:
      "The request has more bytes than the server takes: make it smaller. With a delay, more than it has room for just now: try again after the delay.",
  },
  CANCELLED: { code: "CANCELLED", meaning: "The caller left." },
  DRAINING: {
    code: "UNAVAILABLE",
    meaning: "This replica is shutting down. Try again at once on another connection.",
  },
  UPSTREAM_AUTH: {
    code: "FAILED_PRECONDITION",
    meaning:
      "A provider refused Sluice's own credential. The operator must act; the caller's credentials are fine.",
  },
  UPSTREAM_REJECTED_REQUEST: {
    code: "INVALID_ARGUMENT",
    meaning: "The provider refused the request as malformed. Another try will not help.",
  },
  CONTEXT_LENGTH_EXCEEDED: {
    code: "INVALID_ARGUMENT",
    meaning: "The prompt does not fit the context window of any candidate. Shorten it.",
  },
  CONTENT_FILTERED: {
    code: "INVALID_ARGUMENT",
    meaning: "The provider's policy blocked the prompt.",
  },
  UPSTREAM_RATE_LIMITED: {
    code: "RESOURCE_EXHAUSTED",
    meaning: "The providers allow no more requests for now. Try again after the delay.",
  },
  UPSTREAM_QUOTA_EXHAUSTED: {
    code: "RESOURCE_EXHAUSTED",
    meaning: "Credit or plan at the provider is used up. The operator must act.",
  },
  MODEL_UNAVAILABLE: {
    code: "UNAVAILABLE",
    meaning: "The providers do not have, or do not grant, the models that fit.",
  },
  NAMED_MODEL_UNAVAILABLE: {
    code: "NOT_FOUND",
    meaning: "The provider does not have, or does not grant, the model that the request names.",
  },
  UPSTREAM_ERROR: {
    code: "UNAVAILABLE",
    meaning: "The providers failed. A later try may help.",
  },
  UPSTREAM_OVERLOADED: {
    code: "UNAVAILABLE",
    meaning: "The providers are overloaded. Try again after the delay.",
  },
  UPSTREAM_TIMEOUT: {
    code: "UNAVAILABLE",
    meaning: "The providers did not answer within the attempts' time limits. A later try may help.",
  },
  UPSTREAM_UNREACHABLE: {
    code: "UNAVAILABLE",
    meaning: "The providers could not be reached. A later try may help.",
  },
  UPSTREAM_STREAM_CUT: {
    code: "UNAVAILABLE",
    meaning: "The providers' answers broke off before anything was sent on. A later try may help.",
  },
  STREAM_INTERRUPTED: {
    code: "ABORTED",
    meaning: "The answer broke off after a part of it had been sent. What was sent is not a whole answer.",
  },
  INTERNAL: {
    code: "INTERNAL",
    meaning: "A bug in Sluice. The request id finds it in the logs.",
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorReason = keyof typeof ERRORS;

/** One wrong field. `field` is a path such as `spec.messages[2].parts[0].text`. */
export interface FieldViolation {
  readonly field: string;
  /** What was wrong and what would be right; never holds the caller's text beyond a short name. */
  readonly description: string;
}

/** An error on its way to a caller. A value; it is never thrown. */
export interface RouteError {
  readonly reason: ErrorReason;
  /** A sentence for people. Everything variable in it is also in `metadata` or `violations`. */
  readonly message: string;
  /** Keys lowerCamel and stable; values at most 1,024 characters. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** When a new try may help, from now, where we know. */
  readonly retryAfterMs?: number;
  readonly violations?: readonly FieldViolation[];
  /** What was tried. */
  readonly failed?: FailedAttempts;
}
