import { expect } from "chai";
import { TierLimit } from "../../../src/policies/candidates/tier-limits.ts";
import { FakeClock } from "../../support/fake-clock.ts";

describe("the limits of an echelon", () => {
  const MINUTE_MS = 60_000;

  it("count attempts that begin, not places that are taken", () => {
    const limit = new TierLimit(new FakeClock(), undefined, 1, 5);
    expect([limit.tryAcquire(), limit.tryAcquire()]).to.deep.equal([true, true]);
    limit.noteStart();
    expect(limit.tryAcquire()).to.equal(false);
    expect(limit.rateDelayMs).to.equal(MINUTE_MS);
  });

  it("admit again a minute after the oldest of the last attempts, in a sliding window", async () => {
    const clock = new FakeClock();
    const limit = new TierLimit(clock, undefined, 2, 5);
    limit.noteStart();
    await clock.advance(20_000);
    limit.noteStart();
    expect(limit.rateDelayMs).to.equal(40_000);
    await clock.advance(40_000);
    expect(limit.rateDelayMs).to.equal(0);
    limit.noteStart();
    expect(limit.rateDelayMs).to.equal(20_000);
  });

  it("give a place that is released to whoever waits longest, and hold it for them", () => {
    const limit = new TierLimit(new FakeClock(), 1, Number.POSITIVE_INFINITY, 5);
    const turns: number[] = [];
    limit.tryAcquire();
    const leave = limit.wait(() => turns.push(1));
    limit.wait(() => turns.push(2));
    leave?.();
    limit.release();
    expect(turns).to.deep.equal([2]);
    expect(limit.admits).to.equal(false);
    limit.release();
    expect(limit.admits).to.equal(true);
  });
});
