/** A failed call in words for standard error. */

import { formatAttempts, formatUsage } from "./answer-summary.ts";
import type { CallFailure } from "./call-failure.ts";
import type { Paint } from "./colour.ts";
import { formatMs } from "./number-text.ts";
import { printable } from "./printable-text.ts";

/** Renders the failure: `headline` (without a full stop), then all that the server told, one fact per line. */
export function renderFailure(failure: CallFailure, headline: string, paint: Paint): string {
  const reason = failure.reason === undefined ? "" : ` ${printable(failure.reason)}`;
  const lines = [`sluice: ${paint("bad", headline)}: ${failure.codeName}${reason}`];
  if (failure.message !== "") lines.push(`  ${printable(failure.message)}`);
  for (const { field, description } of failure.violations) {
    lines.push(`  ${printable(field)}: ${printable(description)}`);
  }
  if (failure.failed !== undefined) {
    lines.push(...formatAttempts(failure.failed.attempts).map((line) => `  ${line}`));
    if (failure.failed.usage !== undefined)
      lines.push(`  used in vain: ${formatUsage(failure.failed.usage)}`);
  }
  if (failure.retryDelayMs !== undefined) {
    lines.push(
      `  try again ${failure.retryDelayMs > 0 ? `in ${formatMs(failure.retryDelayMs)}` : "at once"}`,
    );
  }
  if (failure.requestId !== undefined) lines.push(`  request id: ${printable(failure.requestId)}`);
  return `${lines.join("\n")}\n`;
}
