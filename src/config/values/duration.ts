import { parseDecimal, scaleToWhole } from "./decimal.ts";
import { type Parsed, readAs, refuse } from "./parsed.ts";

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const DURATION = /^(\d+(?:\.\d+)?) ?(ms|s|m|h)$/;

/** The longest duration a configuration may have. Node's timers end at 24.8 days. */
export const MAX_DURATION_MS = 24 * UNITS_MS.h;

/** What a duration looks like, for JSON Schema. */
export const DURATION_PATTERN = "^[0-9]+(\\.[0-9]+)? ?(ms|s|m|h)$";

/** What a duration looks like where a bare number counts as seconds, for JSON Schema. */
export const SECONDS_PATTERN = "^[0-9]+(\\.[0-9]+)?( ?(ms|s|m|h))?$";

/** Reads a length of time such as `250ms`, `1.5s`, `2m` or `1h` as milliseconds, from `minMs` to `maxMs`. */
export function parseDuration(text: string, minMs: number, maxMs: number): Parsed<number> {
  const right = describeDurations(minMs, maxMs);
  const match = DURATION.exec(text);
  const decimal = match?.[1] === undefined ? undefined : parseDecimal(match[1]);
  if (decimal === undefined) {
    return /^[\d.]+$/.test(text)
      ? refuse("is a number without a unit", right)
      : refuse("is not a duration", right);
  }
  const durationMs = scaleToWhole(decimal, UNITS_MS[match?.[2] as keyof typeof UNITS_MS], MAX_DURATION_MS);
  if (durationMs === "fraction") return refuse("has a part of a millisecond", right);
  if (typeof durationMs !== "number" || durationMs > maxMs) return refuse("is too long", right);
  if (durationMs < minMs) return refuse("is too short", right);
  return readAs(durationMs);
}

/** As `parseDuration`, but a number without a unit counts as seconds: `30`, `1.5`. */
export function parseDurationOrSeconds(text: string, minMs: number, maxMs: number): Parsed<number> {
  const parsed = parseDuration(/^\d+(?:\.\d+)?$/.test(text) ? `${text}s` : text, minMs, maxMs);
  return parsed.ok ? parsed : refuse(parsed.wrong, describeDurationsOrSeconds(minMs, maxMs));
}

/** What a right duration would be where a bare number counts as seconds, in words. */
export function describeDurationsOrSeconds(minMs: number, maxMs: number): string {
  return `a duration with its unit (ms, s, m or h) or a number of seconds, from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
}

/** What a right duration would be, in words. */
export function describeDurations(minMs: number, maxMs: number): string {
  return `a duration with its unit (ms, s, m or h), from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
}

/** Writes whole milliseconds as the shortest text that `parseDuration` reads back as the same. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return "0s";
  for (const unit of ["h", "m", "s"] as const) {
    if (durationMs % UNITS_MS[unit] === 0) return `${durationMs / UNITS_MS[unit]}${unit}`;
  }
  return `${durationMs}ms`;
}
