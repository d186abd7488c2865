/** A provider that asks for more than this is taken to ask for this. */
const MAX_RETRY_AFTER_MS = 3_600_000;

const NUMBER = /^\d{1,15}(\.\d{1,9})?$/;
/** The three forms of RFC 9110 5.6.7, as far as they begin with a day and a comma or end in GMT. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .{8,40}$/;

type HeaderValue = string | readonly string[] | undefined;

/**
 * Reads how long a provider asks to wait, 0 to 3,600,000 ms: `retry-after-ms` (OpenAI),
 * `x-ms-retry-after-ms` (Azure), then `Retry-After` in seconds or as a date (RFC 9110
 * 10.2.3). Anything that is none of these is passed over.
 */
export function readRetryAfterMs(
  headers: Readonly<Record<string, HeaderValue>>,
  wallNowMs: number,
): number | undefined {
  const ms = readNumber(headers["retry-after-ms"]) ?? readNumber(headers["x-ms-retry-after-ms"]);
  if (ms !== undefined) return limit(ms);
  const seconds = readNumber(headers["retry-after"]);
  if (seconds !== undefined) return limit(seconds * 1_000);
  const date = first(headers["retry-after"]);
  if (!HTTP_DATE.test(date)) return undefined;
  const dateMs = Date.parse(date);
  return Number.isNaN(dateMs) ? undefined : limit(dateMs - wallNowMs);
}

function limit(ms: number): number {
  return Math.min(Math.max(Math.ceil(ms), 0), MAX_RETRY_AFTER_MS);
}

function readNumber(value: HeaderValue): number | undefined {
  const text = first(value);
  return NUMBER.test(text) ? Number(text) : undefined;
}

function first(value: HeaderValue): string {
  return (typeof value === "string" ? value : (value?.[0] ?? "")).trim();
}
