import { isRecord } from "../../lib/is-record.ts";

/** What an error of a server says about itself. Stays inside the classifier. */
export interface ErrorFacts {
  /** The code, OpenRouter's `metadata.error_type`, the type and Gemini's `status`, where they are there. */
  readonly codes: readonly string[];
  /** The message, cut to a bounded length. */
  readonly message: string;
  /** The code when it is an HTTP status, as OpenRouter and vLLM put it. */
  readonly status: number | undefined;
  /** OpenRouter's `metadata.limit_source`: whose limit was reached; empty without one. */
  readonly limitSource: string;
  /** Whether OpenRouter's moderation gave its reasons. */
  readonly isFlagged: boolean;
}

/** Regular expressions look at no more than this. */
const MAX_MESSAGE_LENGTH = 4_096;

/**
 * Reads an error in any of the shapes seen: `{"error": {…}}`, `{"error": "text"}`, the
 * error object itself, a list with one of these, or plain text.
 */
export function readErrorFacts(value: unknown): ErrorFacts {
  const outer = Array.isArray(value) ? value[0] : value;
  const inner = isRecord(outer) && outer.error !== undefined && outer.error !== null ? outer.error : outer;
  if (!isRecord(inner)) {
    const message = typeof inner === "string" ? inner.slice(0, MAX_MESSAGE_LENGTH) : "";
    return { codes: [], message, status: undefined, limitSource: "", isFlagged: false };
  }
  const metadata = isRecord(inner.metadata) ? inner.metadata : {};
  const codes = [inner.code, metadata.error_type, inner.type, inner.status]
    .map(readCode)
    .filter((code) => code !== "");
  const message = [inner.message, inner.msg].find((text) => typeof text === "string") ?? "";
  return {
    codes,
    message: readMessage(message, metadata.raw),
    status: readStatus(inner.code) ?? readStatus(inner.status),
    limitSource: readCode(metadata.limit_source),
    isFlagged: metadata.reasons !== undefined || metadata.flagged_input !== undefined,
  };
}

/** OpenRouter's words for "the host says why", which it does in `metadata.raw`, mostly as JSON in a string. */
const HOST_KNOWS = /^provider returned error\.?$/i;

function readMessage(told: string, raw: unknown): string {
  if (!HOST_KNOWS.test(told) || raw === undefined || raw === null) return told.slice(0, MAX_MESSAGE_LENGTH);
  const inside =
    typeof raw === "string" ? readErrorBody(raw.slice(0, MAX_MESSAGE_LENGTH)) : readErrorFacts(raw);
  return inside.message || told;
}

/** Reads the body of an error answer: JSON, or anything else as text. */
export function readErrorBody(body: string): ErrorFacts {
  try {
    return readErrorFacts(JSON.parse(body));
  } catch {
    return readErrorFacts(body);
  }
}

function readCode(value: unknown): string {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? value : "";
}

function readStatus(value: unknown): number | undefined {
  return typeof value === "number" && value >= 400 && value <= 599 && Number.isInteger(value)
    ? value
    : undefined;
}
