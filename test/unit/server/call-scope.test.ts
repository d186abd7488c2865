import { expect } from "chai";
import { CallScope } from "../../../src/server/edge/call-scope.ts";
import { CallsUnderWay } from "../../../src/server/edge/calls-under-way.ts";
import type { CancelCause } from "../../../src/service/call.ts";
import { FakeClock } from "../../support/fake-clock.ts";

describe("CallScope", () => {
  let clock: FakeClock;
  let scope: CallScope;
  let heard: CancelCause[];
  let abortCount: number;
  let closeCount: number;

  const open = (endless = false): CallScope =>
    new CallScope(
      clock,
      { requestId: "r", traceparent: undefined, peer: "p", arrivedMs: clock.nowMs() },
      { deadlineMs: clock.nowMs() + 1_000, endless },
      {
        abort: () => {
          abortCount++;
        },
        closed: () => {
          closeCount++;
        },
      },
    );

  beforeEach(() => {
    clock = new FakeClock();
    heard = [];
    abortCount = 0;
    closeCount = 0;
    scope = open();
    scope.onCancel((cause) => heard.push(cause));
  });

  afterEach(() => {
    scope.close();
    expect(clock.pendingCount).to.equal(0);
  });

  it("cancels at the deadline", async () => {
    await clock.advance(999);
    expect(heard).to.deep.equal([]);
    await clock.advance(1);
    expect(heard).to.deep.equal(["deadline"]);
    expect(scope.cancelled).to.equal("deadline");
  });

  for (const [remainingMs, cause] of [
    [500, "caller_gone"],
    [11, "caller_gone"],
    [9, "deadline"],
  ] as const) {
    it(`takes a close ${remainingMs} ms before the deadline for ${cause}`, async () => {
      await clock.advance(1_000 - remainingMs);
      scope.close();
      expect(heard).to.deep.equal([cause]);
    });
  }

  it("tells nobody after a settled call closes", () => {
    scope.settle();
    scope.close();
    expect(heard).to.deep.equal([]);
    expect(scope.cancelled).to.equal(undefined);
    expect(closeCount).to.equal(1);
  });

  it("hears the first cause only", async () => {
    scope.cancel("shutdown");
    await clock.advance(1_000);
    scope.close();
    expect(heard).to.deep.equal(["shutdown"]);
  });

  it("tells late listeners at once, and those that cleaned up never", () => {
    const late: CancelCause[] = [];
    scope.onCancel(() => late.push("deadline"))();
    scope.cancel("shutdown");
    scope.onCancel((cause) => late.push(cause));
    expect(late).to.deep.equal(["shutdown"]);
  });

  it("ends a call in its handler's stead, and then breaks the transport off", async () => {
    const overdue: CancelCause[] = [];
    scope.onOverdue((cause) => overdue.push(cause));
    scope.cancel("shutdown");
    await clock.advance(249);
    expect(overdue).to.deep.equal([]);
    await clock.advance(1);
    expect([overdue, abortCount]).to.deep.equal([["shutdown"], 0]);
    await clock.advance(250);
    expect(abortCount).to.equal(1);
  });

  it("breaks off an answer that nobody takes by its deadline", async () => {
    scope.settle();
    await clock.advance(1_250);
    expect(heard).to.deep.equal([]);
    expect(abortCount).to.equal(1);
  });

  it("gives a caller five seconds to stop sending after its answer", async () => {
    scope.settle();
    scope.linger();
    await clock.advance(4_999);
    expect(abortCount).to.equal(0);
    await clock.advance(1);
    expect(abortCount).to.equal(1);
  });

  it("tells of its close once", () => {
    let count = 0;
    scope.onClose(() => count++);
    scope.close();
    scope.close();
    scope.onClose(() => count++);
    expect(count).to.equal(2);
    expect(closeCount).to.equal(1);
  });

  it("is stopped at once by a drain when it is endless, and at the drain's end when it is not", () => {
    const calls = new CallsUnderWay();
    const endless = open(true);
    calls.add(scope);
    calls.add(endless);
    calls.refuseNew();
    expect([scope.cancelled, endless.cancelled]).to.deep.equal([undefined, "shutdown"]);
    calls.cancelAll();
    expect(scope.cancelled).to.equal("shutdown");
    let emptyCount = 0;
    calls.onceEmpty(() => emptyCount++);
    calls.remove(scope);
    expect(emptyCount).to.equal(0);
    calls.remove(endless);
    expect(emptyCount).to.equal(1);
    endless.close();
  });
});
