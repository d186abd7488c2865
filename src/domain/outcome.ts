/** How an attempt can end. A closed set: every table over it is checked by the compiler. */

/** The classes of provider failures; their meaning is stated at `Outcome` in generation.proto. */
export const FAILURE_CLASSES = [
  "auth",
  "invalid_request",
  "context_length_exceeded",
  "content_filter",
  "rate_limit",
  "quota_exhausted",
  "model_unavailable",
  "server_error",
  "overloaded",
  "timeout",
  "network",
  "stream_interrupted",
  "cancelled",
] as const;

export type FailureClass = (typeof FAILURE_CLASSES)[number];

/** Everything an attempt can end as. `local`: our own limit, breaker or shutdown stopped it. */
export type Outcome = "success" | FailureClass | "superseded" | "local";

/** Which of our timers ended an attempt. */
export type AttemptTimer = "connect" | "first_token" | "idle" | "total";

/** Why a provider did not answer. A value, not an exception. Holds no text of the provider. */
export interface ProviderFailure {
  readonly class: FailureClass;
  /** The HTTP status the provider answered with. */
  readonly httpStatus?: number;
  /** The provider's own code or type, at most 64 characters of [A-Za-z0-9_.-]. */
  readonly providerCode?: string;
  /** How long the provider asked us to wait, 0 or more. */
  readonly retryAfterMs?: number;
  /** Which timer, when `class` is `timeout`. */
  readonly timer?: AttemptTimer;
}
