/** Structured logs. The only file that imports pino. */

import { type DestinationStream, pino } from "pino";
import type { LogFields, Logger } from "../domain/ports.ts";

/** The keys of LogFields; `satisfies` makes the compiler refuse a key that is not one. */
const ALLOWED_FIELDS = [
  "requestId",
  "method",
  "protocol",
  "peer",
  "caller",
  "credential",
  "code",
  "reason",
  "model",
  "deployment",
  "provider",
  "upstreamModel",
  "attemptNumber",
  "attemptCount",
  "outcome",
  "httpStatus",
  "providerCode",
  "breakerState",
  "durationMs",
  "timeToFirstTokenMs",
  "inputTokens",
  "outputTokens",
  "costNanoUsd",
  "traceId",
  "address",
  "signal",
  "count",
  "file",
  "error",
] as const satisfies readonly (keyof LogFields)[];

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/**
 * Makes a logger that writes one JSON object a line. Fields beyond the allow-list are
 * left out even if a cast smuggles them in, so that no prompt or key can ride along.
 */
export function createLogger(level: LogLevel, destination: DestinationStream): Logger {
  const log = pino(
    {
      level,
      base: { service: "sluice" },
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: "message",
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const write = (at: Exclude<LogLevel, "silent">) => (message: string, fields?: LogFields) => {
    if (log.isLevelEnabled(at)) log[at](pickAllowed(fields), message);
  };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

function pickAllowed(fields: LogFields | undefined): LogFields {
  if (fields === undefined) return {};
  const picked: Record<string, unknown> = {};
  for (const key of ALLOWED_FIELDS) {
    if (fields[key] !== undefined) picked[key] = fields[key];
  }
  return picked;
}
