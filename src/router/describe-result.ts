import type { AttemptRecord, RouteResult } from "../domain/attempt.ts";
import type { ProviderEnd } from "../domain/ports.ts";

/** The closing facts of an answer. `totalMs`: from the arrival of the request. */
export function describeResult(
  record: AttemptRecord,
  end: Extract<ProviderEnd, { kind: "completed" }>,
  facts: Pick<RouteResult, "totalMs" | "attempts" | "decisions" | "adjustments">,
): RouteResult {
  const { usage, timeToFirstTokenMs } = record;
  return {
    ...facts,
    deployment: record.deployment,
    responseModel: end.responseModel,
    finishReason: end.finishReason,
    rawFinishReason: end.rawFinishReason,
    attemptNumber: record.attemptNumber,
    ...(usage === undefined ? {} : { usage }),
    // The attempt ended just now, so it began `record.totalMs` ago.
    ...(timeToFirstTokenMs === undefined
      ? {}
      : { timeToFirstTokenMs: facts.totalMs - record.totalMs + timeToFirstTokenMs }),
  };
}
