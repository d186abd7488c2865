import { Socket } from "node:net";
import { expect } from "chai";
import fc from "fast-check";
import { DEFAULT_SERVER_LIMITS } from "../../../src/config/server-limits.ts";
import { TokenBucket } from "../../../src/lib/token-bucket.ts";
import { ConnectionAges, drawMaxAgeMs } from "../../../src/server/edge/connection-age.ts";

describe("TokenBucket", () => {
  it("allows the burst and then the rate, over any time", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(500), { maxLength: 200 }), (gapsMs) => {
        const bucket = new TokenBucket(10, 2, 0);
        let nowMs = 0;
        let takenCount = 0;
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          if (bucket.take(nowMs)) takenCount++;
          expect(takenCount).to.be.at.most(10 + (2 * nowMs) / 1_000);
        }
      }),
    );
  });

  it("gives the whole burst at once, and again after a rest", () => {
    const bucket = new TokenBucket(3, 1, 0);
    const takeFour = (nowMs: number) => [1, 2, 3, 4].map(() => bucket.take(nowMs));
    expect(takeFour(0)).to.deep.equal([true, true, true, false]);
    expect(takeFour(60_000)).to.deep.equal([true, true, true, false]);
  });
});

describe("the age of connections", () => {
  it("is the maximum, a tenth more or less", () => {
    expect([0, 0.5, 1].map((chance) => drawMaxAgeMs(1_000, { next: () => chance }))).to.deep.equal([
      900, 1_000, 1_100,
    ]);
  });

  it("is over when it has passed, and never for a connection that nobody announced", () => {
    const ages = new ConnectionAges(1_000, { next: () => 0.5 });
    const socket = new Socket();
    ages.begin(socket, 500);
    expect([1_499, 1_500].map((nowMs) => ages.isOver(socket, nowMs))).to.deep.equal([false, true]);
    expect(ages.isOver(new Socket(), 1e9)).to.equal(false);
  });
});

describe("the limits where nobody says otherwise", () => {
  it("let a sign of life come before the next is asked for, and calls end within the grace", () => {
    const limits = DEFAULT_SERVER_LIMITS;
    expect(limits.keepAliveTimeoutMs).to.be.below(limits.keepAliveIntervalMs);
    expect(limits.maxConnectionsPerAddressCount).to.be.below(limits.maxConnectionCount);
    expect(limits.maxAgeGraceMs).to.be.at.least(limits.maxAgeMs);
    for (const value of Object.values(limits)) expect(value).to.be.greaterThan(0);
  });
});
