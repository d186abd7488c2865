import { judgeOutcome } from "../core/failure-policy.ts";
import { LogHistogram } from "../core/log-histogram.ts";
import type { AttemptRecord } from "../domain/attempt.ts";
import type { AttemptMetrics, LatencySummary } from "../domain/metrics.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { Usage } from "../domain/usage.ts";

/** Counts attempts: how many, how they ended, how long they took, what they used. */
export class AttemptTally {
  #startedCount = 0;
  #endedCount = 0;
  readonly #outcomeCounts = new Map<Outcome, number>();
  #totalLatency = new LogHistogram();
  #timeToFirstToken = new LogHistogram();
  #usage: { -readonly [K in keyof Usage]: number } = {};

  /** Counts an attempt that begins. */
  recordStart(): void {
    this.#startedCount += 1;
  }

  /** Counts an attempt that has ended. Only successes leave latency samples. */
  recordEnd(record: AttemptRecord): void {
    this.#endedCount += 1;
    this.#outcomeCounts.set(record.outcome, (this.#outcomeCounts.get(record.outcome) ?? 0) + 1);
    if (record.outcome === "success") {
      this.#totalLatency.record(record.totalMs);
      if (record.timeToFirstTokenMs !== undefined) this.#timeToFirstToken.record(record.timeToFirstTokenMs);
    }
    if (record.usage !== undefined) this.#addUsage(record.usage);
  }

  /** Begins anew; attempts under way stay counted as such. */
  reset(): void {
    this.#startedCount -= this.#endedCount;
    this.#endedCount = 0;
    this.#outcomeCounts.clear();
    this.#totalLatency = new LogHistogram();
    this.#timeToFirstToken = new LogHistogram();
    this.#usage = {};
  }

  /** Adds what another tally has counted. */
  add(other: AttemptTally): void {
    this.#startedCount += other.#startedCount;
    this.#endedCount += other.#endedCount;
    for (const [outcome, count] of other.#outcomeCounts) {
      this.#outcomeCounts.set(outcome, (this.#outcomeCounts.get(outcome) ?? 0) + count);
    }
    this.#totalLatency.add(other.#totalLatency);
    this.#timeToFirstToken.add(other.#timeToFirstToken);
    this.#addUsage(other.#usage);
  }

  /** What has been counted so far, as a value that does not change afterwards. */
  summarize(): AttemptMetrics {
    return {
      startedCount: this.#startedCount,
      inFlightCount: this.#startedCount - this.#endedCount,
      outcomeCounts: new Map(this.#outcomeCounts),
      successRatio: this.#computeSuccessRatio(),
      totalLatency: summarizeLatency(this.#totalLatency),
      timeToFirstToken: summarizeLatency(this.#timeToFirstToken),
      usage: { ...this.#usage },
    };
  }

  #computeSuccessRatio(): number | undefined {
    let judgedCount = 0;
    for (const [outcome, count] of this.#outcomeCounts) {
      if (judgeOutcome(outcome) !== "ignore") judgedCount += count;
    }
    return judgedCount === 0 ? undefined : (this.#outcomeCounts.get("success") ?? 0) / judgedCount;
  }

  #addUsage(usage: Usage): void {
    for (const [key, value] of Object.entries(usage) as [keyof Usage, number][]) {
      this.#usage[key] = (this.#usage[key] ?? 0) + value;
    }
  }
}

function summarizeLatency(histogram: LogHistogram): LatencySummary | undefined {
  const { meanMs } = histogram;
  const p50Ms = histogram.percentileMs(0.5);
  const p95Ms = histogram.percentileMs(0.95);
  const p99Ms = histogram.percentileMs(0.99);
  if (meanMs === undefined || p50Ms === undefined || p95Ms === undefined || p99Ms === undefined) {
    return undefined;
  }
  return { sampleCount: histogram.count, meanMs, p50Ms, p95Ms, p99Ms };
}
