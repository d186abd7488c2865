import type { QuotaHeaders, QuotaReading } from "../../domain/quota.ts";

type HeaderValue = string | readonly string[] | undefined;
type Headers = Readonly<Record<string, HeaderValue>>;

const NUMBER = /^\d{1,15}(\.\d{1,9})?$/;
/** Go's `time.Duration` as text, which is what OpenAI sends: `12ms`, `1s`, `6m0s`. */
const GO_DURATION =
  /^(?:(\d{1,6})h)?(?:(\d{1,6})m(?!s))?(?:(\d{1,6}(?:\.\d{1,9})?)s)?(?:(\d{1,9}(?:\.\d{1,9})?)ms)?$/;
const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/;
/** Bare numbers from here on are moments since 1970: seconds, or from the second figure on milliseconds. */
const MIN_EPOCH_SECONDS = 1e9;
const MIN_EPOCH_MS = 1e11;

/**
 * Reads rate-limit headers in the forms of OpenAI and Azure
 * (`x-ratelimit-limit-requests` …), Anthropic (`anthropic-ratelimit-requests-limit` …)
 * and OpenRouter (`x-ratelimit-limit` …). A limit counts only when limit, remaining
 * and reset are all there and make sense: Azure leaves some out and sends −1 and 0 for
 * what it does not know. Undefined when nothing is told.
 */
export function readQuotaHeaders(headers: Headers, wallNowMs: number): QuotaHeaders | undefined {
  const read = (limit: string, remaining: string, reset: string) =>
    readReading(headers[limit], headers[remaining], headers[reset], wallNowMs);
  const readOpenAi = (what: string) =>
    read(`x-ratelimit-limit-${what}`, `x-ratelimit-remaining-${what}`, `x-ratelimit-reset-${what}`);
  const readAnthropic = (what: string) => {
    const prefix = `anthropic-ratelimit-${what}`;
    return read(`${prefix}-limit`, `${prefix}-remaining`, `${prefix}-reset`);
  };
  const requests =
    readOpenAi("requests") ??
    readAnthropic("requests") ??
    read("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset");
  const tokens =
    readOpenAi("tokens") ??
    readAnthropic("tokens") ??
    pickTighter(readAnthropic("input-tokens"), readAnthropic("output-tokens"));
  if (requests === undefined && tokens === undefined) return undefined;
  return { ...(requests && { requests }), ...(tokens && { tokens }) };
}

function readReading(
  limitValue: HeaderValue,
  remainingValue: HeaderValue,
  resetValue: HeaderValue,
  wallNowMs: number,
): QuotaReading | undefined {
  const limit = readNumber(limitValue);
  const remaining = readNumber(remainingValue);
  const resetMs = readResetMs(first(resetValue), wallNowMs);
  if (!limit || remaining === undefined || remaining > limit || resetMs === undefined) return undefined;
  return { limit, remaining, resetMs };
}

function readResetMs(text: string, wallNowMs: number): number | undefined {
  if (text === "") return undefined;
  if (NUMBER.test(text)) {
    const value = Number(text);
    if (value >= MIN_EPOCH_MS) return Math.max(value - wallNowMs, 0);
    return value >= MIN_EPOCH_SECONDS ? Math.max(value * 1_000 - wallNowMs, 0) : value * 1_000;
  }
  if (RFC_3339.test(text)) {
    const atMs = Date.parse(text);
    return Number.isNaN(atMs) ? undefined : Math.max(atMs - wallNowMs, 0);
  }
  const parts = GO_DURATION.exec(text);
  if (parts === null) return undefined;
  const [hours = 0, minutes = 0, seconds = 0, ms = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  return hours * 3_600_000 + minutes * 60_000 + seconds * 1_000 + ms;
}

function pickTighter(
  one: QuotaReading | undefined,
  other: QuotaReading | undefined,
): QuotaReading | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.remaining / one.limit <= other.remaining / other.limit ? one : other;
}

function readNumber(value: HeaderValue): number | undefined {
  const text = first(value);
  return NUMBER.test(text) ? Number(text) : undefined;
}

function first(value: HeaderValue): string {
  return (typeof value === "string" ? value : (value?.[0] ?? "")).trim();
}
