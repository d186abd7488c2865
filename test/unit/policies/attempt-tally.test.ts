import { expect } from "chai";
import type { AttemptRecord } from "../../../src/domain/attempt.ts";
import type { Outcome } from "../../../src/domain/outcome.ts";
import { AttemptTally } from "../../../src/policies/attempt-tally.ts";
import { sampleModel } from "../../support/sample-catalog.ts";

function recordOf(outcome: Outcome, more: Partial<AttemptRecord> = {}): AttemptRecord {
  const [deployment] = sampleModel("m").deployments;
  if (deployment === undefined) throw new Error("a sample model has a deployment");
  return { attemptNumber: 1, deployment, outcome, purpose: "first", tier: "auto", totalMs: 100, ...more };
}

function tallyOf(...records: readonly AttemptRecord[]): AttemptTally {
  const tally = new AttemptTally();
  for (const record of records) {
    tally.recordStart();
    tally.recordEnd(record);
  }
  return tally;
}

describe("the tally of attempts", () => {
  it("knows neither ratio nor latency while nothing has ended", () => {
    const tally = new AttemptTally();
    tally.recordStart();
    expect(tally.summarize()).to.deep.include({
      startedCount: 1,
      inFlightCount: 1,
      successRatio: undefined,
      totalLatency: undefined,
      timeToFirstToken: undefined,
      usage: {},
    });
  });

  it("leaves what says nothing about health out of the success ratio", () => {
    const outcomes: Outcome[] = ["success", "server_error", "cancelled", "rate_limit", "superseded", "local"];
    const summary = tallyOf(...outcomes.map((outcome) => recordOf(outcome))).summarize();
    expect(summary.successRatio).to.equal(0.5);
    expect(Object.fromEntries(summary.outcomeCounts)).to.deep.equal(
      Object.fromEntries(outcomes.map((outcome) => [outcome, 1])),
    );
  });

  it("takes latency samples from successes only", () => {
    const summary = tallyOf(
      recordOf("success", { totalMs: 200, timeToFirstTokenMs: 50 }),
      recordOf("timeout", { totalMs: 60_000 }),
      recordOf("cancelled", { totalMs: 1 }),
    ).summarize();
    expect(summary.totalLatency).to.include({ sampleCount: 1, meanMs: 200 });
    expect(summary.timeToFirstToken).to.include({ sampleCount: 1, meanMs: 50 });
  });

  it("adds up usage that is known and leaves the rest unknown", () => {
    const tally = tallyOf(
      recordOf("success", { usage: { inputTokens: 3, costNanoUsd: 7 } }),
      recordOf("success", { usage: { inputTokens: 4, outputTokens: 5 } }),
      recordOf("server_error"),
    );
    const doubled = new AttemptTally();
    doubled.add(tally);
    doubled.add(tally);
    expect(tally.summarize().usage).to.deep.equal({ inputTokens: 7, outputTokens: 5, costNanoUsd: 7 });
    expect(doubled.summarize()).to.deep.include({
      startedCount: 6,
      usage: { inputTokens: 14, outputTokens: 10, costNanoUsd: 14 },
    });
  });
});
