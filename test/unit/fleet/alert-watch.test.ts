import { expect } from "chai";
import type { AlertRules } from "../../../src/domain/alert-rules.ts";
import type { AttemptRecord } from "../../../src/domain/attempt.ts";
import { AlertWatch, type RaisedAlert } from "../../../src/fleet/alert-watch.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { sampleModel } from "../../support/sample-catalog.ts";

const RULES: AlertRules = {
  windowMs: 60_000,
  minSampleCount: 10,
  minSuccessRatio: 0.9,
  maxFirstTokenMs: 2_000,
  maxErrorRatio: 0.1,
  maxFallbackRatio: 0.5,
};

function makeRecord(changes: Partial<AttemptRecord> = {}): AttemptRecord {
  const [deployment] = sampleModel("m", { providers: ["p"] }).deployments;
  if (deployment === undefined) throw new Error("no deployment");
  return {
    ...{ attemptNumber: 1, deployment, outcome: "success", totalMs: 500, purpose: "first", tier: "auto" },
    timeToFirstTokenMs: 300,
    ...changes,
  };
}

describe("alerts", () => {
  let clock: FakeClock;
  let alerts: RaisedAlert[];
  let watch: AlertWatch;

  function start(rules: AlertRules = RULES): void {
    clock = new FakeClock();
    alerts = [];
    watch = new AlertWatch(rules, ["m"], clock, (alert) => alerts.push(alert));
  }

  afterEach(() => {
    watch.close();
    expect(clock.pendingCount).to.equal(0);
  });

  function repeat(count: number, changes: Partial<AttemptRecord>): void {
    for (let attempt = 0; attempt < count; attempt++) watch.recordAttempt(makeRecord(changes));
  }

  it("tell once that too few attempts succeed, and once that it is over, a window later", async () => {
    start();
    repeat(7, {});
    repeat(3, { outcome: "server_error" });
    await clock.advance(20_000);
    expect(alerts).to.deep.equal([
      { kind: "success_ratio", model: "m", value: 0.7, threshold: 0.9, sampleCount: 10, resolved: false },
    ]);
    for (let check = 0; check < 13; check++) {
      expect(alerts).to.have.length(1);
      repeat(90, {});
      await clock.advance(5_000);
    }
    expect(alerts[1]).to.include({ kind: "success_ratio", value: 1, resolved: true });
    await clock.advance(300_000);
    expect(alerts).to.have.length(2);
  });

  it("tell once of a figure that goes up and down about its threshold", async () => {
    start({ ...RULES, windowMs: 5_000 });
    for (let check = 0; check < 60; check++) {
      repeat(20, check % 2 === 0 ? { outcome: "server_error" } : {});
      await clock.advance(5_000);
    }
    expect(alerts.map(({ kind, resolved }) => [kind, resolved])).to.deep.equal([["success_ratio", false]]);
  });

  it("say nothing of fewer attempts than are asked for", async () => {
    start();
    repeat(9, { outcome: "server_error" });
    await clock.advance(20_000);
    expect(alerts).to.deep.equal([]);
  });

  it("forget what is older than their window", async () => {
    start();
    repeat(9, { outcome: "server_error" });
    await clock.advance(70_000);
    repeat(9, { outcome: "server_error" });
    await clock.advance(20_000);
    expect(alerts).to.deep.equal([]);
  });

  it("leave out what says nothing about a deployment", async () => {
    start();
    repeat(100, { outcome: "cancelled" });
    repeat(100, { outcome: "invalid_request" });
    await clock.advance(20_000);
    expect(alerts).to.deep.equal([]);
  });

  it("tell that first tokens come late", async () => {
    start();
    repeat(10, { timeToFirstTokenMs: 2_500 });
    await clock.advance(5_000);
    expect(alerts).to.have.length(1);
    expect(alerts[0]).to.include({ kind: "latency", model: "m", value: 2_500, threshold: 2_000 });
  });

  it("tell that requests fail or fall back, over all models; who left does not count", async () => {
    start();
    const error = (reason: string) => ({ reason }) as never;
    for (let request = 0; request < 8; request++) watch.recordRequest([], error("CANCELLED"));
    for (let request = 0; request < 4; request++) watch.recordRequest([makeRecord()], undefined);
    for (let request = 0; request < 6; request++) {
      watch.recordRequest([makeRecord(), makeRecord({ purpose: "fallback" })], undefined);
    }
    await clock.advance(5_000);
    expect(alerts).to.deep.equal([
      { kind: "fallback_ratio", model: "", value: 0.6, threshold: 0.5, sampleCount: 10, resolved: false },
    ]);
    for (let request = 0; request < 5; request++) watch.recordRequest([], error("ALL_CANDIDATES_FAILED"));
    await clock.advance(5_000);
    expect(alerts.map(({ kind, resolved }) => [kind, resolved])).to.deep.equal([
      ["fallback_ratio", false],
      ["error_ratio", false],
    ]);
  });

  it("raise nothing where no threshold is set", async () => {
    const none = { minSuccessRatio: undefined, maxFirstTokenMs: undefined };
    start({ ...RULES, ...none, maxErrorRatio: undefined, maxFallbackRatio: undefined });
    repeat(100, { outcome: "server_error", timeToFirstTokenMs: 9_000 });
    await clock.advance(20_000);
    expect(alerts).to.deep.equal([]);
  });
});
