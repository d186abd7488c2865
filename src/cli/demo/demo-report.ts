/** The numbers at the end of the demo. */

import { formatMs } from "../number-text.ts";

/** Everything the demo measured. Lengths of time are undefined when the end came first. */
export interface DemoReport {
  readonly requestCount: number;
  readonly failedCount: number;
  /** Calls to the stopped provider between the opening of its breaker and its new start: probes. */
  readonly callsAfterDetectionCount: number;
  /** From the stop to the opening of the breaker. */
  readonly detectionMs: number | undefined;
  /** From the new start to the closing of the breaker. */
  readonly returnMs: number | undefined;
}

/** One number a line. */
export function renderReport(report: DemoReport, victim: string): string[] {
  const { requestCount, failedCount, callsAfterDetectionCount, detectionMs, returnMs } = report;
  return [
    `requests              ${requestCount}`,
    `failed                ${failedCount}`,
    `time to detect        ${formatTime(detectionMs)} from the stop of ${victim} to its open breaker`,
    `calls after that      ${callsAfterDetectionCount} to the stopped ${victim}, as probes`,
    `time to return        ${formatTime(returnMs)} from its new start to its closed breaker`,
  ];
}

function formatTime(ms: number | undefined): string {
  return ms === undefined ? "never," : formatMs(ms);
}
