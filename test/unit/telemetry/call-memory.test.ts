import { expect } from "chai";
import type { AttemptRecord } from "../../../src/domain/attempt.ts";
import { MAX_KEPT_CALLS } from "../../../src/domain/call-history.ts";
import type { Clock } from "../../../src/domain/ports.ts";
import { CallMemory } from "../../../src/telemetry/call-memory.ts";
import { sampleModel } from "../../support/sample-catalog.ts";

const DAY_MS = 86_400_000;
const START_MS = Date.parse("2026-02-27T23:59:59.000Z");

function makeAttempt(model: string, changes: Partial<AttemptRecord> = {}): AttemptRecord {
  const [deployment] = sampleModel(model).deployments;
  if (deployment === undefined) throw new Error("a sample model has a deployment");
  return {
    attemptNumber: 1,
    deployment,
    outcome: "success",
    totalMs: 100,
    purpose: "first",
    tier: "auto",
    ...changes,
  };
}

function openMemory() {
  let wallMs = START_MS;
  const clock: Clock = { nowMs: () => 0, wallMs: () => wallMs, timer: () => () => {} };
  const memory = new CallMemory(clock);
  const pass = (ms: number) => {
    wallMs += ms;
  };
  return { memory, pass };
}

const ALL = { failedOnly: false, limit: MAX_KEPT_CALLS };

describe("what is remembered of calls", () => {
  it("is summed by the day on which they end, in UTC, and by deployment", () => {
    const { memory, pass } = openMemory();
    memory.record(makeAttempt("b", { usage: { inputTokens: 5, costNanoUsd: 7 } }), "r1");
    memory.record(makeAttempt("a", { outcome: "rate_limit" }), "r2");
    memory.record(makeAttempt("a", { outcome: "cancelled", usage: { inputTokens: 1 } }), "r3");
    pass(1_000);
    memory.record(makeAttempt("b", { usage: { inputTokens: 2, outputTokens: 3 }, totalMs: 50 }), "r4");
    memory.record(makeAttempt("b", { totalMs: 25 }), "r5");
    const rows = memory.reportUsage({}).map(({ deployment, ...row }) => ({ ...row, id: deployment.id }));
    const none = { succeededCount: 0, failedCount: 0, abandonedCount: 0, succeededMs: 0, usage: {} };
    expect(rows).to.deep.equal([
      {
        ...none,
        day: "2026-02-27",
        id: "a-provider/a",
        callCount: 2,
        failedCount: 1,
        abandonedCount: 1,
        usage: { inputTokens: 1 },
      },
      {
        ...none,
        day: "2026-02-27",
        id: "b-provider/b",
        callCount: 1,
        succeededCount: 1,
        succeededMs: 100,
        usage: { inputTokens: 5, costNanoUsd: 7 },
      },
      {
        ...none,
        day: "2026-02-28",
        id: "b-provider/b",
        callCount: 2,
        succeededCount: 2,
        succeededMs: 75,
        usage: { inputTokens: 2, outputTokens: 3 },
      },
    ]);
    const count = (query: Parameters<typeof memory.reportUsage>[0]) => memory.reportUsage(query).length;
    expect(count({ firstDay: "2026-02-28" })).to.equal(1);
    expect(count({ lastDay: "2026-02-27" })).to.equal(2);
    expect(count({ model: "b" })).to.equal(2);
    expect(count({ firstDay: "2026-03-01" })).to.equal(0);
  });

  it("survives a clock that is set back", () => {
    const { memory, pass } = openMemory();
    pass(DAY_MS);
    memory.record(makeAttempt("a"), "r1");
    pass(-2 * DAY_MS);
    memory.record(makeAttempt("a"), "r2");
    expect(memory.reportUsage({}).map(({ day }) => day)).to.deep.equal(["2026-02-26", "2026-02-28"]);
  });

  it("is a year of days and so many calls at the most, the newest first", () => {
    const { memory, pass } = openMemory();
    for (let index = 0; index < MAX_KEPT_CALLS + 10; index++) {
      memory.record(makeAttempt("a"), `r${index}`);
      pass(DAY_MS);
    }
    expect(memory.reportUsage({})).to.have.length(366);
    const calls = memory.listCalls(ALL);
    expect(calls).to.have.length(MAX_KEPT_CALLS);
    expect([calls[0]?.requestId, calls.at(-1)?.requestId]).to.deep.equal([`r${MAX_KEPT_CALLS + 9}`, "r10"]);
    expect(memory.listCalls({ ...ALL, limit: 3 }).map(({ requestId }) => requestId)).to.deep.equal([
      `r${MAX_KEPT_CALLS + 9}`,
      `r${MAX_KEPT_CALLS + 8}`,
      `r${MAX_KEPT_CALLS + 7}`,
    ]);
  });

  it("is found by model, by request and by failure; who was given up has not failed", () => {
    const { memory } = openMemory();
    memory.record(makeAttempt("a", { outcome: "timeout" }), "r1");
    memory.record(makeAttempt("b", { attemptNumber: 2 }), "r1");
    memory.record(makeAttempt("b", { outcome: "superseded" }), "r2");
    memory.record(makeAttempt("b", { outcome: "network" }), "r3");
    const find = (query: Partial<Parameters<typeof memory.listCalls>[0]>) =>
      memory.listCalls({ ...ALL, ...query }).map((call) => `${call.requestId} ${call.attempt.outcome}`);
    expect(find({ failedOnly: true })).to.deep.equal(["r3 network", "r1 timeout"]);
    expect(find({ requestId: "r1" })).to.deep.equal(["r1 success", "r1 timeout"]);
    expect(find({ model: "a" })).to.deep.equal(["r1 timeout"]);
    expect(find({ model: "b", failedOnly: true })).to.deep.equal(["r3 network"]);
  });
});
