/** Which error a caller gets. Pure. */

import type { AttemptRecord } from "../domain/attempt.ts";
import { ERRORS, type ErrorReason, type RouteError } from "../domain/errors.ts";
import type { FailureClass } from "../domain/outcome.ts";
import type { Usage } from "../domain/usage.ts";
import { FAILURE_POLICIES } from "./failure-policy.ts";
import type { PlanFilter, RemovedModel } from "./plan.ts";

const FILTER_TEXTS: Readonly<Record<PlanFilter, string>> = {
  vision: "takes no images",
  tools: "takes no tools",
  json_object: "cannot be made to answer in JSON",
  json_schema: "does not enforce a JSON schema",
  long_context: "is no long-context model",
  context_window: "has too small a context window",
  max_output: "cannot answer at that length",
};

/** The most removed models that a message spells out. */
const MAX_LISTED_MODELS = 20;

/** Nothing in the catalog can serve the request; says what removed each model. */
export function noModelFitsError(removed: readonly RemovedModel[]): RouteError {
  const listed = removed.slice(0, MAX_LISTED_MODELS);
  const texts = listed.map(({ model, filter }) => `${model} ${FILTER_TEXTS[filter]}`);
  if (removed.length > listed.length) texts.push(`and ${removed.length - listed.length} more`);
  return {
    reason: "NO_MODEL_MEETS_REQUIREMENTS",
    message: `no model meets the requirements: ${texts.join(", ")}`,
    metadata: { removed: listed.map(({ model, filter }) => `${model}=${filter}`).join(",") },
  };
}

/** Every candidate's breaker is open. */
export function noDeploymentAvailableError(retryAfterMs: number): RouteError {
  return {
    reason: "NO_DEPLOYMENT_AVAILABLE",
    message: "every fitting deployment has an open circuit breaker",
    retryAfterMs,
  };
}

/** How long to wait for a place in a full queue: about one answer's time; no better guess is at hand. */
const QUEUE_RETRY_MS = 1_000;

/** Every candidate is at its concurrency limit and its queue is full. */
export function concurrencyLimitError(): RouteError {
  return {
    reason: "CONCURRENCY_LIMIT_REACHED",
    message: "every fitting deployment is at its concurrency limit and its queue is full",
    retryAfterMs: QUEUE_RETRY_MS,
  };
}

/** The request ended for a reason outside the attempts. */
export function stoppedError(
  reason: "CANCELLED" | "DEADLINE_EXCEEDED" | "DRAINING",
  attempts: readonly AttemptRecord[],
): RouteError {
  const messages = {
    CANCELLED: "the caller left",
    DEADLINE_EXCEEDED: "the deadline passed before the answer was whole",
    DRAINING: "this replica is shutting down",
  } as const;
  return {
    reason,
    message: messages[reason],
    ...(reason === "DRAINING" ? { retryAfterMs: 0 } : {}),
    ...describeAttempts(attempts),
  };
}

/**
 * Every attempt failed, or one failed after a delta had been sent (`committed`).
 * The most actionable class of failure names the error; among equals the last.
 */
export function attemptsFailedError(
  attempts: readonly AttemptRecord[],
  options: { readonly committed: boolean; readonly namedModel: string | undefined },
): RouteError {
  const told = findTellingAttempt(attempts);
  const reason = chooseReason(told, options);
  return {
    reason,
    message: describeFailure(reason, told, attempts.length),
    metadata: {
      provider: told.deployment.provider,
      deployment: told.deployment.id,
      model: told.deployment.model,
      attemptCount: String(attempts.length),
      ...(told.httpStatus === undefined ? {} : { httpStatus: String(told.httpStatus) }),
      ...(told.providerCode === undefined ? {} : { providerCode: told.providerCode }),
    },
    ...(told.retryAfterMs === undefined ? {} : { retryAfterMs: told.retryAfterMs }),
    ...describeAttempts(attempts),
  };
}

/** A failed attempt; `cancelled`, `superseded` and `local` never stand for a request's failure. */
function findTellingAttempt(attempts: readonly AttemptRecord[]): AttemptRecord {
  const ranked = attempts.toSorted((a, b) => rankAttempt(a) - rankAttempt(b));
  const last = ranked.at(-1);
  if (last === undefined) throw new Error("an error about failed attempts needs at least one attempt");
  return last;
}

function rankAttempt({ outcome }: AttemptRecord): number {
  if (outcome === "success" || outcome === "superseded" || outcome === "local") return -1;
  return FAILURE_POLICIES[outcome].actionability;
}

function chooseReason(
  told: AttemptRecord,
  { committed, namedModel }: { readonly committed: boolean; readonly namedModel: string | undefined },
): ErrorReason {
  if (committed) return "STREAM_INTERRUPTED";
  if (told.outcome === "model_unavailable" && namedModel !== undefined) return "NAMED_MODEL_UNAVAILABLE";
  return FAILURE_POLICIES[told.outcome as FailureClass].reason;
}

function describeFailure(reason: ErrorReason, told: AttemptRecord, attemptCount: number): string {
  const what = ERRORS[reason].meaning.split(". ")[0]?.replace(/\.$/, "") ?? reason;
  const tries = attemptCount === 1 ? "1 attempt" : `${attemptCount} attempts`;
  const status = told.httpStatus === undefined ? "" : ` with HTTP ${told.httpStatus}`;
  const code = told.providerCode === undefined ? "" : ` (${told.providerCode})`;
  return `${what}: ${told.deployment.id} ended as ${told.outcome}${status}${code}, after ${tries}`;
}

function describeAttempts(attempts: readonly AttemptRecord[]): Pick<RouteError, "failed"> {
  if (attempts.length === 0) return {};
  const usage = sumUsage(attempts);
  return { failed: { attempts, ...(usage === undefined ? {} : { usage }) } };
}

/** Adds up what is known; undefined when nothing is. */
function sumUsage(attempts: readonly AttemptRecord[]): Usage | undefined {
  const sum: { -readonly [K in keyof Usage]: number } = {};
  for (const { usage } of attempts) {
    for (const [key, value] of Object.entries(usage ?? {}) as [keyof Usage, number][]) {
      sum[key] = (sum[key] ?? 0) + value;
    }
  }
  return Object.keys(sum).length === 0 ? undefined : sum;
}
