import type { RequestMetrics } from "../domain/metrics.ts";

/** How a request ended, for counting. */
export type RequestEnd = "succeeded" | "failed" | "cancelled";

/** Counts requests. */
export class RequestTally {
  #startedCount = 0;
  #fallbackCount = 0;
  readonly #endCounts: Record<RequestEnd, number> = { succeeded: 0, failed: 0, cancelled: 0 };

  /** Counts a request taken in. */
  recordStart(): void {
    this.#startedCount += 1;
  }

  /** Counts a request that has ended; `fallbackCount` is how often it went on to another deployment. */
  recordEnd(end: RequestEnd, fallbackCount: number): void {
    this.#endCounts[end] += 1;
    if (end === "succeeded" && fallbackCount > 0) this.#fallbackCount += 1;
  }

  /** What has been counted so far. */
  summarize(): RequestMetrics {
    const { succeeded, failed, cancelled } = this.#endCounts;
    return {
      startedCount: this.#startedCount,
      succeededCount: succeeded,
      failedCount: failed,
      cancelledCount: cancelled,
      inFlightCount: this.#startedCount - succeeded - failed - cancelled,
      fallbackCount: this.#fallbackCount,
    };
  }
}
