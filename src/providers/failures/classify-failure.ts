import type { FailureClass, ProviderFailure } from "../../domain/outcome.ts";
import { type ErrorFacts, readErrorBody, readErrorFacts } from "./error-facts.ts";
import { ERROR_RULES, type ErrorRule, type RuleProvider } from "./error-rules.ts";
import { readResetMs } from "./reset-time.ts";

/** What a provider's code may look like to be passed on. */
const PROVIDER_CODE = /^[A-Za-z0-9_.-]{1,64}$/;

/** Whose server answered, and when. */
export interface FailurePlace {
  readonly provider: RuleProvider;
  readonly wallNowMs: number;
}

/** Classifies an answer whose HTTP status is not a success. `body` may be cut short. */
export function classifyErrorAnswer(
  httpStatus: number,
  body: string,
  toldRetryAfterMs: number | undefined,
  { provider, wallNowMs }: FailurePlace,
): ProviderFailure {
  const facts = readErrorBody(body);
  const rule = ERROR_RULES.find(
    (row) => holdsFor(row, provider) && fitsFacts(row, facts) && fitsStatus(row, httpStatus),
  );
  const retryAfterMs =
    toldRetryAfterMs ?? (rule?.tellsReset ? readResetMs(facts.message, wallNowMs) : undefined);
  return {
    class: rule?.class ?? (httpStatus >= 400 && httpStatus < 500 ? "invalid_request" : "server_error"),
    httpStatus,
    ...describeCode(facts),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/**
 * Classifies an error object inside an answer that began as a success. Its status
 * says nothing then: rows go by code and message, and bare statuses only by a code
 * that is itself a status.
 */
export function classifyErrorValue(
  error: unknown,
  httpStatus: number,
  provider: RuleProvider,
): ProviderFailure {
  const facts = readErrorFacts(error);
  const rule = ERROR_RULES.find(
    (row) =>
      holdsFor(row, provider) &&
      fitsFacts(row, facts) &&
      (row.codes || row.message || row.limitSources
        ? true
        : facts.status !== undefined && fitsStatus(row, facts.status)),
  );
  return { class: rule?.class ?? "server_error", httpStatus, ...describeCode(facts) };
}

/** Codes of undici, Node and OpenSSL that are not simply a broken connection. */
const TRANSPORT_CLASSES: ReadonlyMap<string, FailureClass> = new Map([
  ["UND_ERR_CONNECT_TIMEOUT", "timeout"],
  ["ETIMEDOUT", "timeout"],
  // The server spoke, but not HTTP, or too much of it.
  ["HTTPParserError", "server_error"],
  ["UND_ERR_HEADERS_OVERFLOW", "server_error"],
  ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "server_error"],
  // Something of the request cannot be sent as HTTP, a line break in the key for example.
  ["UND_ERR_INVALID_ARG", "invalid_request"],
]);

/** Classifies an exchange that broke before the server answered. */
export function classifyTransportError(error: unknown): ProviderFailure {
  const failureClass = TRANSPORT_CLASSES.get(readSystemCode(error)) ?? "network";
  return failureClass === "timeout" ? { class: failureClass, timer: "connect" } : { class: failureClass };
}

function holdsFor(rule: ErrorRule, provider: RuleProvider): boolean {
  return rule.isOwn !== true || rule.provider === provider;
}

function fitsFacts(rule: ErrorRule, facts: ErrorFacts): boolean {
  if (rule.codes && !rule.codes.some((code) => facts.codes.includes(code))) return false;
  if (rule.limitSources && !rule.limitSources.includes(facts.limitSource)) return false;
  if (rule.isFlagged && !facts.isFlagged) return false;
  return rule.message?.test(facts.message) ?? true;
}

/** GLM's and others' own codes hold whatever the status; OpenAI's are checked against it. */
function fitsStatus(rule: ErrorRule, httpStatus: number): boolean {
  return rule.statuses?.includes(httpStatus) ?? true;
}

function describeCode(facts: ErrorFacts): Pick<ProviderFailure, "providerCode"> {
  const [code] = facts.codes;
  // A text in a code's place may hold anything, a piece of the prompt too: it is not passed on.
  return code !== undefined && PROVIDER_CODE.test(code) ? { providerCode: code } : {};
}

/** The code; of undici's HTTPParserError, whose code is often missing, the name. */
function readSystemCode(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if (error.name === "HTTPParserError") return error.name;
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
