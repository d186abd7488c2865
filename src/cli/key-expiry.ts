import { printable } from "./printable-text.ts";
import { UsageError } from "./usage-error.ts";

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 };
const LENGTH = /^(\d{1,5})(h|d)$/;
const DATE = /^\d{4}-\d\d-\d\d$/;

/** Reads `--expires`: a length of time from `nowMs`, or the first day (UTC) on which the key is refused. Throws UsageError. */
export function parseExpiryOption(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const [, amount, unit] = LENGTH.exec(text) ?? [];
  const endMs =
    unit === undefined
      ? DATE.test(text)
        ? readDate(text)
        : Number.NaN
      : nowMs + Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
  if (endMs > nowMs) return endMs;
  throw new UsageError(
    `--expires "${printable(text)}" is no time to come. Write for example 90d, 12h or 2030-01-31.`,
  );
}

/** NaN for days that no calendar has, which `Date` would push into the next month. */
function readDate(text: string): number {
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? Number.NaN : ms;
}
