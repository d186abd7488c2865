/** What each class of failure leads to. The whole router hangs on this table; a test walks every row. */

import type { ErrorReason } from "../domain/errors.ts";
import type { FailureClass, Outcome } from "../domain/outcome.ts";

/**
 * Where a request may go after a failure: `any` other deployment, one of another
 * `provider`, one with a larger context window, or `nowhere`.
 */
export type FallbackScope = "any" | "other_provider" | "larger_context" | "nowhere";

export interface FailurePolicy {
  readonly fallback: FallbackScope;
  /** Whether the deployment's health suffers; what says nothing about it is ignored. */
  readonly health: "failure" | "ignore";
  /** What the caller is told when nothing else helped. */
  readonly reason: ErrorReason;
  /** When attempts failed for several reasons the caller is told the highest: the one somebody can act on. */
  readonly actionability: number;
}

export const FAILURE_POLICIES: Readonly<Record<FailureClass, FailurePolicy>> = {
  invalid_request: {
    fallback: "nowhere",
    health: "ignore",
    reason: "UPSTREAM_REJECTED_REQUEST",
    actionability: 9,
  },
  content_filter: { fallback: "nowhere", health: "ignore", reason: "CONTENT_FILTERED", actionability: 9 },
  context_length_exceeded: {
    fallback: "larger_context",
    health: "ignore",
    reason: "CONTEXT_LENGTH_EXCEEDED",
    actionability: 8,
  },
  quota_exhausted: {
    fallback: "other_provider",
    health: "ignore",
    reason: "UPSTREAM_QUOTA_EXHAUSTED",
    actionability: 7,
  },
  auth: { fallback: "other_provider", health: "ignore", reason: "UPSTREAM_AUTH", actionability: 6 },
  rate_limit: { fallback: "any", health: "ignore", reason: "UPSTREAM_RATE_LIMITED", actionability: 5 },
  overloaded: { fallback: "any", health: "failure", reason: "UPSTREAM_OVERLOADED", actionability: 4 },
  model_unavailable: { fallback: "any", health: "failure", reason: "MODEL_UNAVAILABLE", actionability: 3 },
  timeout: { fallback: "any", health: "failure", reason: "UPSTREAM_TIMEOUT", actionability: 2 },
  server_error: { fallback: "any", health: "failure", reason: "UPSTREAM_ERROR", actionability: 1 },
  network: { fallback: "any", health: "failure", reason: "UPSTREAM_UNREACHABLE", actionability: 1 },
  stream_interrupted: { fallback: "any", health: "failure", reason: "UPSTREAM_STREAM_CUT", actionability: 1 },
  cancelled: { fallback: "nowhere", health: "ignore", reason: "CANCELLED", actionability: 0 },
};

/** What an outcome says about the deployment's health. */
export type HealthVerdict = "success" | "failure" | "ignore";

/** Judges an outcome. Cancelled, superseded and local attempts say nothing. */
export function judgeOutcome(outcome: Outcome): HealthVerdict {
  if (outcome === "success") return "success";
  if (outcome === "superseded" || outcome === "local") return "ignore";
  return FAILURE_POLICIES[outcome].health;
}
