import { expect } from "chai";
import { seededRandom } from "../../../../src/lib/random.ts";
import { ADAPTIVE, BreakerBench } from "./breaker-bench.ts";

describe("the adaptive breaker", () => {
  it("opens at a trip statistic of 8, not before, and not by failures it counts itself", () => {
    const bench = new BreakerBench(ADAPTIVE);
    bench.attempts(100, "failure");
    bench.breaker.assess(7.99);
    expect(bench.breaker.state).to.equal("closed");
    bench.breaker.assess(8);
    expect([bench.breaker.state, bench.breaker.acquire()]).to.deep.equal(["open", undefined]);
  });

  it("opens at 4.5 when its provider's other deployments have tripped", () => {
    const bench = new BreakerBench(ADAPTIVE);
    bench.breaker.assess(4.4, {}, true);
    expect(bench.breaker.state).to.equal("closed");
    bench.breaker.assess(4.5, {}, true);
    expect(bench.breaker.state).to.equal("open");
  });

  it("closes after as many good probes as a deployment as sick as it was would seldom show", () => {
    for (const [failureRatio, count] of [
      [1, 2],
      [0.5, 4],
      [0.3, 7],
    ] as const) {
      const bench = new BreakerBench(ADAPTIVE);
      bench.openThenHalfOpen({ failureRatio });
      for (let probe = 1; probe <= count; probe++) {
        expect(bench.breaker.state, `${failureRatio}: before probe ${probe}`).to.equal("half_open");
        bench.attempt("success");
      }
      expect(bench.breaker.state).to.equal("closed");
    }
  });

  it("stays open for 1 s, doubling with each trip to 30 s", () => {
    const bench = new BreakerBench(ADAPTIVE);
    const openSeconds: number[] = [];
    for (let trip = 0; trip < 7; trip++) {
      openSeconds.push((trip === 0 ? bench.openThenHalfOpen() : bench.breaker.nextProbeDelayMs) / 1_000);
      bench.wait(bench.breaker.nextProbeDelayMs);
      bench.attempt("failure");
    }
    expect(openSeconds).to.deep.equal([1, 2, 4, 8, 16, 26.25, 26.25]);
  });

  it("is asked for up to 60 s less often when it hangs", () => {
    const bench = new BreakerBench(ADAPTIVE);
    for (let trip = 0; trip < 7; trip++) {
      if (trip === 0) bench.openThenHalfOpen({ hung: true });
      bench.wait(bench.breaker.nextProbeDelayMs);
      bench.attempt("failure", { hung: true });
    }
    expect(bench.breaker.nextProbeDelayMs).to.equal(60_000 * 0.875);
  });

  it("forgets a trip after five minutes", () => {
    const bench = new BreakerBench(ADAPTIVE);
    bench.openThenHalfOpen();
    bench.heal();
    bench.wait(300_000);
    expect(bench.openThenHalfOpen()).to.equal(1_000);
  });

  it("spreads the open time by a quarter each way, and never beyond the cap", () => {
    const random = seededRandom(1);
    const lengths = Array.from({ length: 300 }, () => new BreakerBench(ADAPTIVE, random).openThenHalfOpen());
    expect(Math.min(...lengths)).to.be.within(750, 770);
    expect(Math.max(...lengths)).to.be.within(1_230, 1_250);
    const bench = new BreakerBench(ADAPTIVE, random);
    bench.openThenHalfOpen();
    const capped: number[] = [];
    for (let trip = 0; trip < 100; trip++) {
      bench.attempt("failure");
      if (trip > 6) capped.push(bench.breaker.nextProbeDelayMs);
      bench.wait(bench.breaker.nextProbeDelayMs);
    }
    expect(Math.max(...capped)).to.be.at.most(30_000);
    expect(new Set(capped).size).to.be.above(50);
  });

  it("lets nothing through before Retry-After, of which at most an hour counts", () => {
    for (const [retryAfterMs, waitMs] of [
      [20_000, 20_000],
      [10, 1_000],
      [1e12, 3_600_000],
      [Number.NaN, 1_000],
    ] as const) {
      const bench = new BreakerBench(ADAPTIVE);
      bench.breaker.trip({ retryAfterMs });
      expect(bench.breaker.nextProbeDelayMs).to.equal(waitMs);
      bench.wait(waitMs - 1);
      expect([bench.breaker.acquireEarly(), bench.breaker.state]).to.deep.equal([undefined, "open"]);
      bench.wait(1);
      expect(bench.breaker.state).to.equal("half_open");
    }
  });

  it("closes on two good probes, one at a time", () => {
    const bench = new BreakerBench(ADAPTIVE);
    bench.openThenHalfOpen();
    const probe = bench.take();
    expect(bench.breaker.available).to.equal(false);
    probe.settle("success");
    expect([bench.breaker.state, bench.breaker.available]).to.deep.equal(["half_open", true]);
    bench.attempt("success");
    expect(bench.transitions).to.deep.equal(["open", "half_open", "closed"]);
  });

  it("probes with as many attempts at once as it is told", () => {
    const bench = new BreakerBench({ kind: "adaptive", halfOpenRequests: 3 });
    bench.openThenHalfOpen();
    for (let probe = 0; probe < 3; probe++) bench.take();
    expect(bench.breaker.acquire()).to.equal(undefined);
  });

  it("stays half-open on a refused probe, and asks again only after Retry-After", () => {
    const bench = new BreakerBench(ADAPTIVE);
    bench.openThenHalfOpen();
    bench.attempt("limited", { retryAfterMs: 7_000 });
    expect([bench.breaker.state, bench.breaker.available, bench.breaker.nextProbeDelayMs]).to.deep.equal([
      "half_open",
      false,
      7_000,
    ]);
    bench.wait(6_999);
    expect(bench.breaker.acquire()).to.equal(undefined);
    bench.wait(1);
    expect(bench.heal()).to.equal(2);
  });

  it("frees the slot of a probe that said nothing", () => {
    const bench = new BreakerBench(ADAPTIVE);
    bench.openThenHalfOpen();
    bench.attempt("ignore");
    expect([bench.breaker.state, bench.breaker.available]).to.deep.equal(["half_open", true]);
  });

  it("ramps up over 10 s after closing, from a tenth", () => {
    const bench = new BreakerBench(ADAPTIVE);
    expect(bench.breaker.admittedRatio).to.equal(1);
    bench.breaker.trip();
    expect(bench.breaker.admittedRatio).to.equal(0);
    bench.wait(1_000);
    expect(bench.breaker.admittedRatio).to.equal(0);
    bench.heal();
    const ratios = [0, 500, 2_000, 5_000, 10_000].map((waitedMs, position, all) => {
      bench.wait(waitedMs - (all[position - 1] ?? 0));
      return bench.breaker.admittedRatio;
    });
    expect(ratios).to.deep.equal([0.1, 0.1, 0.2, 0.5, 1]);
  });

  it("opens again at half the evidence while it ramps up", () => {
    const bench = new BreakerBench(ADAPTIVE);
    bench.openThenHalfOpen();
    bench.heal();
    bench.wait(9_999);
    bench.breaker.assess(4.4);
    expect(bench.breaker.state).to.equal("closed");
    bench.breaker.assess(4.5);
    expect(bench.breaker.state).to.equal("open");
    bench.wait(60_000);
    bench.heal();
    bench.wait(10_000);
    bench.breaker.assess(4.5);
    expect(bench.breaker.state).to.equal("closed");
  });

  it("punishes flapping: five good probes and a quarter of the share for two minutes, then no more", () => {
    const bench = new BreakerBench(ADAPTIVE);
    bench.openThenHalfOpen();
    const probeCounts: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      probeCounts.push(bench.heal());
      bench.wait(15_000);
      bench.openThenHalfOpen();
    }
    probeCounts.push(bench.heal());
    expect(probeCounts).to.deep.equal([2, 2, 2, 5]);
    bench.wait(20_000);
    expect(bench.breaker.admittedRatio).to.equal(0.25);
    bench.wait(100_000);
    expect(bench.breaker.admittedRatio).to.equal(1);
    bench.openThenHalfOpen();
    expect(bench.heal()).to.equal(2);
  });

  it("does not call it flapping when it was closed for 30 s", () => {
    const bench = new BreakerBench(ADAPTIVE);
    bench.openThenHalfOpen();
    for (let turn = 0; turn < 4; turn++) {
      expect(bench.heal()).to.equal(2);
      bench.wait(30_000);
      bench.openThenHalfOpen();
    }
  });

  it("can be asked early when nothing else is left, but not within a second", () => {
    const bench = new BreakerBench(ADAPTIVE);
    for (let trip = 0; trip < 4; trip++) {
      bench.breaker.trip();
      if (trip < 3) {
        bench.wait(bench.breaker.nextProbeDelayMs);
        bench.heal();
        bench.wait(40_000);
      }
    }
    expect([
      bench.breaker.nextProbeDelayMs,
      bench.breaker.earlyAvailable,
      bench.breaker.acquireEarly(),
    ]).to.deep.equal([8_000, false, undefined]);
    bench.wait(1_000);
    expect(bench.breaker.available).to.equal(false);
    const probe = bench.breaker.acquireEarly();
    expect([probe === undefined, bench.breaker.state, bench.breaker.earlyAvailable]).to.deep.equal([
      false,
      "half_open",
      false,
    ]);
    probe?.settle("failure");
    expect([bench.breaker.nextProbeDelayMs, bench.breaker.earlyAvailable]).to.deep.equal([16_000, false]);
  });

  it("waits on, half-open too, when another replica has probed in vain; nothing else left, it is asked all the same", () => {
    const bench = new BreakerBench(ADAPTIVE);
    bench.openThenHalfOpen();
    expect(bench.breaker.state).to.equal("half_open");
    bench.breaker.deferProbe(20_000, 300_000);
    expect([bench.breaker.state, bench.breaker.available, bench.breaker.earlyAvailable]).to.deep.equal([
      "half_open",
      false,
      true,
    ]);
    bench.wait(19_999);
    expect(bench.breaker.available).to.equal(false);
    bench.wait(1);
    expect(bench.breaker.available).to.equal(true);
    bench.breaker.deferProbe(20_000, 300_000);
    expect(bench.breaker.acquireEarly()).to.not.equal(undefined);
  });

  it("is brought forward, half-open too, when another replica's probe has succeeded", () => {
    const bench = new BreakerBench(ADAPTIVE);
    bench.openThenHalfOpen();
    expect(bench.breaker.state).to.equal("half_open");
    bench.breaker.deferProbe(300_000, 600_000);
    bench.wait(20_000);
    bench.breaker.hastenProbe(500);
    expect(bench.breaker.available).to.equal(false);
    bench.wait(500);
    expect(bench.breaker.available).to.equal(true);
  });

  it("is not put off for longer than its bound, and counts its good probes anew when another's fails within it", () => {
    const bench = new BreakerBench(ADAPTIVE);
    bench.openThenHalfOpen();
    bench.attempt("success");
    bench.breaker.deferProbe(3_600_000, 60_000);
    expect(bench.breaker.available).to.equal(false);
    bench.wait(60_000);
    bench.attempt("success");
    expect(bench.breaker.state).to.equal("half_open");
    // The bound has passed: nobody's word takes anything back.
    bench.breaker.deferProbe(3_600_000, 60_000);
    bench.attempt("success");
    expect(bench.breaker.state).to.equal("closed");
  });

  it("gives the first probe to whose turn it is when it is made, not when the open time ended", () => {
    const bench = new BreakerBench(ADAPTIVE);
    let isOurTurn = true;
    bench.breaker.guardProbes(() => isOurTurn);
    bench.openThenHalfOpen();
    isOurTurn = false;
    expect([bench.breaker.available, bench.breaker.acquire()]).to.deep.equal([false, undefined]);
    isOurTurn = true;
    bench.attempt("success");
    isOurTurn = false;
    expect(bench.breaker.available).to.equal(true);
  });

  it("goes on from the open time that other replicas have come to, and forgets it when it closes", () => {
    const bench = new BreakerBench(ADAPTIVE);
    bench.breaker.followOpenTime(8_000);
    expect(bench.openThenHalfOpen()).to.equal(1_000);
    bench.breaker.followOpenTime(8_000);
    bench.attempt("failure");
    expect(bench.breaker.nextProbeDelayMs).to.equal(16_000);
    bench.wait(16_000);
    bench.heal();
    bench.wait(40_000);
    bench.breaker.trip();
    expect(bench.breaker.nextProbeDelayMs).to.equal(4_000);
  });

  it("is closed by an operator's word, and forgets", () => {
    const bench = new BreakerBench(ADAPTIVE);
    for (let trip = 0; trip < 3; trip++) {
      bench.openThenHalfOpen();
      bench.heal();
    }
    bench.breaker.trip();
    bench.breaker.reset();
    expect([bench.breaker.state, bench.breaker.admittedRatio]).to.deep.equal(["closed", 1]);
    expect(bench.openThenHalfOpen()).to.equal(1_000);
  });
});
