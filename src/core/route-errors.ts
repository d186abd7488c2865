/** Which error a caller gets. Pure. */

import type { AttemptRecord } from "../domain/attempt.ts";
import { ERRORS, type ErrorReason, type RouteError } from "../domain/errors.ts";
import type { FailureClass } from "../domain/outcome.ts";
import type { Usage } from "../domain/usage.ts";
import type { NoCandidateCause } from "./choice/decision.ts";
import type { ChoiceFilter } from "./choice/hard-filters.ts";
import { FAILURE_POLICIES } from "./failure-policy.ts";

const FILTER_TEXTS: Readonly<Record<ChoiceFilter, string>> = {
  disabled: "is disabled",
  tried: "was tried already",
  same_provider: "is of the provider that refused",
  context_not_larger: "has no larger context window",
  vision: "takes no images",
  tools: "takes no tools",
  json_object: "cannot be made to answer in JSON",
  json_schema: "does not enforce a JSON schema",
  long_context: "is no long-context model",
  forced_tool_call: "cannot be made to call a tool: its provider knows no tool_choice but auto and none",
  image_url: "takes images as data only, not by address",
  stop_sequences: "takes fewer stop sequences",
  prompt_length: "has too small a context window for the prompt",
  max_output: "cannot answer at that length",
  min_success: "does not succeed often enough",
  max_latency: "is not fast enough",
  max_cost: "costs too much or has no price",
  context_window: "has too small a context window",
  credential: "has a credential that was refused or is used up",
  held: "is set aside",
  cooldown: "was asked by its provider to wait",
  breaker: "has an open circuit breaker",
  suspect: "is suspect",
  ramp: "is just coming back",
  headroom: "has used up its limits",
  deadline: "would not answer before the deadline",
};

/** A deployment's model, and the filter that removed it. */
export interface RemovedCandidate {
  readonly model: string;
  readonly filter: ChoiceFilter;
  /** The length of the prompt for this model, and its window. */
  readonly promptTokens?: number;
  readonly windowTokens?: number;
}

/** The most characters of one metadata value; see `RouteError`. */
const MAX_METADATA_CHARACTERS = 1_024;

/** The most removed models that a message spells out. */
const MAX_LISTED_MODELS = 20;

/** Nothing can serve the request; says what removed each model. */
export function noModelFitsError(removed: readonly RemovedCandidate[]): RouteError {
  const byModel = new Map(removed.map(({ model, filter }) => [model, filter]));
  const listed = [...byModel].slice(0, MAX_LISTED_MODELS);
  const texts = listed.map(([model, filter]) => `${model} ${FILTER_TEXTS[filter]}`);
  if (byModel.size > listed.length) texts.push(`and ${byModel.size - listed.length} more`);
  // Where nothing but the length of the prompt is in the way, that is what the caller can mend.
  const tooLong = removed.length > 0 && removed.every(({ filter }) => filter === "prompt_length");
  if (tooLong) return promptTooLongError(removed);
  return {
    reason: "NO_MODEL_MEETS_REQUIREMENTS",
    message: `no model meets the requirements: ${texts.join(", ")}`,
    metadata: {
      removed: listed
        .map(([model, filter]) => `${model}=${filter}`)
        .join(",")
        .slice(0, MAX_METADATA_CHARACTERS),
    },
  };
}

/** No window has room for the prompt; says how long it is and which window is the largest. */
function promptTooLongError(removed: readonly RemovedCandidate[]): RouteError {
  const [largest] = removed.toSorted((a, b) => (b.windowTokens ?? 0) - (a.windowTokens ?? 0));
  const { model = "", promptTokens = 0, windowTokens = 0 } = largest ?? {};
  const tokens = Math.ceil(promptTokens);
  return {
    reason: "CONTEXT_LENGTH_EXCEEDED",
    message: `the prompt has about ${tokens} tokens, and the largest context window of the candidates, that of ${model}, has ${windowTokens}: shorten it, name another model, or let context_overflow trim it or take a larger model`,
    metadata: { model, promptTokens: String(tokens), contextWindowTokens: String(windowTokens) },
  };
}

/** Why no first attempt could be made, by the cause that the choice names. `namedModel`: the request names one. */
export function noCandidateError(
  cause: NoCandidateCause,
  removed: readonly RemovedCandidate[],
  retryAfterMs: number | undefined,
  namedModel?: string,
): RouteError {
  const retry = retryAfterMs === undefined ? {} : { retryAfterMs: Math.max(retryAfterMs, 0) };
  switch (cause) {
    case "requirements":
    case "exhausted":
      return noModelFitsError(removed);
    case "breaker":
      return noDeploymentAvailableError(retryAfterMs ?? QUEUE_RETRY_MS);
    case "rate_limited":
      return {
        reason: "UPSTREAM_RATE_LIMITED",
        message: "every fitting deployment has used up its limits or was asked to wait",
        ...retry,
      };
    case "credential":
      return {
        reason: "UPSTREAM_AUTH",
        message: "the providers refused the credentials of every fitting deployment",
        ...retry,
      };
    case "used_up":
      return {
        reason: "UPSTREAM_QUOTA_EXHAUSTED",
        message: "credit or plan at the providers of every fitting deployment is used up",
        ...retry,
      };
    case "set_aside":
      return {
        reason: namedModel === undefined ? "MODEL_UNAVAILABLE" : "NAMED_MODEL_UNAVAILABLE",
        message:
          "the providers do not have the models of every fitting deployment, which are set aside for a while",
        ...(namedModel === undefined ? {} : { metadata: { model: namedModel } }),
        ...retry,
      };
    case "deadline":
      return {
        reason: "DEADLINE_EXCEEDED",
        message: "no fitting deployment would answer before the deadline",
      };
  }
}

/** Every candidate's breaker is open. */
export function noDeploymentAvailableError(retryAfterMs: number): RouteError {
  return {
    reason: "NO_DEPLOYMENT_AVAILABLE",
    message: "every fitting deployment has an open circuit breaker",
    retryAfterMs,
  };
}

/** How long to wait where no better guess is at hand: about one answer's time. */
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
