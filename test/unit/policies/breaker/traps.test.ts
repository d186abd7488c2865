import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { Breaker } from "../../../../src/policies/breaker.ts";
import { ADAPTIVE, BreakerBench, COUNTING, ManualClock } from "./breaker-bench.ts";

const SOURCE = readFileSync(join(import.meta.dirname, "../../../../src/policies/breaker.ts"), "utf8");

/** How many intervals `fn` sets. */
function countIntervals(fn: () => void): number {
  const { setInterval } = globalThis;
  let count = 0;
  globalThis.setInterval = new Proxy(setInterval, {
    apply(target, self, args) {
      count += 1;
      return Reflect.apply(target, self, args);
    },
  });
  try {
    fn();
  } finally {
    globalThis.setInterval = setInterval;
  }
  return count;
}

/** The numbers are those of opossum's traps in docs/decisions/0003-opossum-is-record-only.md. */
for (const options of [COUNTING, ADAPTIVE]) {
  describe(`opossum's traps, with the ${options.kind} preset`, () => {
    it("1: an outcome that says nothing does not close a half-open breaker", () => {
      const bench = new BreakerBench(options);
      bench.openThenHalfOpen();
      for (let probe = 0; probe < 10; probe++) bench.attempt("ignore");
      expect(bench.transitions).to.deep.equal(["open", "half_open"]);
    });

    it("2: outcomes that say nothing do not dilute failures", () => {
      const bench = new BreakerBench(options);
      for (let failure = 0; failure < 3; failure++) {
        for (let time = 0; time < 100; time++) bench.attempt("ignore");
        bench.attempt("failure");
      }
      expect(bench.breaker.consecutiveFailureCount).to.equal(3);
    });

    for (const verdict of ["success", "failure", "limited"] as const) {
      it(`3: a late ${verdict} of an attempt from before the outage moves nothing, and says that it did not count`, () => {
        const bench = new BreakerBench(options);
        const old = bench.take();
        bench.openThenHalfOpen();
        expect(old.settle(verdict, { retryAfterMs: 60_000 })).to.equal(false);
        expect([bench.breaker.state, bench.breaker.available]).to.deep.equal(["half_open", true]);
        const probe = bench.take();
        bench.breaker.reset();
        expect(probe.settle("failure")).to.equal(false);
        expect(bench.breaker.state).to.equal("closed");
      });
    }

    it("4: a hung probe loses its slot by age, and its late word still counts", () => {
      const bench = new BreakerBench({ ...options, maxPermitAgeMs: 5_000 });
      bench.openThenHalfOpen();
      const hung = bench.take();
      bench.wait(4_999);
      expect(bench.breaker.acquire()).to.equal(undefined);
      bench.wait(1);
      const next = bench.take();
      expect(bench.breaker.acquire()).to.equal(undefined);
      hung.settle("ignore");
      expect(bench.breaker.acquire()).to.equal(undefined);
      next.settle("failure");
      expect(bench.breaker.state).to.equal("open");
    });

    it("5: our own limits are no failures", () => {
      const bench = new BreakerBench(options);
      bench.attempts(1_000, "ignore");
      expect([bench.breaker.state, bench.breaker.consecutiveFailureCount]).to.deep.equal(["closed", 0]);
    });

    it("6: the open time counts from opening, not from when the breaker was made", () => {
      const bench = new BreakerBench(options);
      bench.wait(3_600_000);
      bench.breaker.trip();
      bench.wait(999);
      expect(bench.breaker.state).to.equal("open");
      bench.wait(1);
      expect(bench.breaker.state).to.equal("half_open");
    });

    it("7: one attempt's end does not end its neighbours", () => {
      const bench = new BreakerBench(options);
      const [one, two] = [bench.take(), bench.take()];
      one.settle("failure", { hung: true });
      expect(two.settle("success")).to.equal(true);
      expect(SOURCE).to.not.match(/abortController|AbortController/);
    });

    it("8: a listener that throws leaves the state as it should be", () => {
      const clock = new ManualClock();
      let throwing = false;
      const onChange = () => {
        if (throwing) throw new Error("a bug elsewhere");
      };
      const breaker = new Breaker(clock, options, onChange, { next: () => 0.5 });
      throwing = true;
      expect(() => breaker.trip()).to.throw("a bug elsewhere");
      throwing = false;
      expect(breaker.state).to.equal("open");
      clock.ms += 1_000;
      expect([breaker.state, breaker.available]).to.deep.equal(["half_open", true]);
      for (let probe = 0; probe < 2; probe++) breaker.acquire()?.settle("success");
      expect(breaker.state).to.equal("closed");
    });

    it("9: one failure does not open it, and failures only do", () => {
      const bench = new BreakerBench(options);
      bench.attempt("failure");
      expect(bench.breaker.state).to.equal("closed");
      bench.attempts(2, "failure");
      bench.breaker.assess(9.66);
      expect(bench.breaker.state).to.equal("open");
    });

    it("10: a failure costs the same however many attempts came before", function () {
      this.timeout(5_000);
      const bench = new BreakerBench(options);
      bench.attempts(50_000, "success");
      const startedMs = performance.now();
      for (let failure = 0; failure < 1_000; failure++) {
        bench.attempt("failure");
        bench.attempt("success");
      }
      // opossum's own percentiles take 5.7 ms for each of them.
      expect(performance.now() - startedMs).to.be.below(500);
    });

    it("11: five hundred breakers own no interval", () => {
      const count = countIntervals(() => {
        for (let each = 0; each < 500; each++) new BreakerBench(options).openThenHalfOpen();
      });
      expect(count).to.equal(0);
    });

    it("12: a breaker that was closed for good starts nothing and stays silent", () => {
      const bench = new BreakerBench(options);
      bench.openThenHalfOpen();
      expect(bench.breaker.state).to.equal("half_open");
      bench.breaker.close();
      bench.wait(3_600_000);
      expect(bench.transitions).to.deep.equal(["open", "half_open"]);
      expect(SOURCE).to.not.match(/healthCheck/);
    });

    it("13: breakers made from the same options do not know of each other", () => {
      const shared = Object.freeze({ ...options });
      const [one, two] = [new BreakerBench(shared), new BreakerBench(shared)];
      one.openThenHalfOpen();
      expect([one.breaker.state, two.breaker.state]).to.deep.equal(["half_open", "closed"]);
    });

    it("14: it fails no attempt of its own accord, however long that takes", () => {
      const bench = new BreakerBench(options);
      const slow = bench.take();
      bench.wait(3_600_000);
      expect([bench.breaker.state, slow.settle("success")]).to.deep.equal(["closed", true]);
    });

    it("15: half-open gives out n permits, not one", () => {
      const bench = new BreakerBench({ ...options, halfOpenRequests: 4 });
      bench.openThenHalfOpen();
      const permits = Array.from({ length: 6 }, () => bench.breaker.acquire());
      expect(permits.filter((permit) => permit !== undefined)).to.have.length(4);
    });

    it("16: the machine's clock moves nothing", () => {
      const { now } = Date;
      const bench = new BreakerBench(options);
      bench.breaker.trip();
      Date.now = () => now() + 1e9;
      try {
        expect(bench.breaker.state).to.equal("open");
        Date.now = () => 0;
        bench.wait(1_000);
        expect(bench.breaker.state).to.equal("half_open");
      } finally {
        Date.now = now;
      }
    });

    it("17: a stream that has begun is no success: only the end of the attempt counts", () => {
      const bench = new BreakerBench(options);
      bench.openThenHalfOpen();
      const stream = bench.take();
      bench.wait(60_000);
      expect([bench.breaker.state, bench.breaker.available]).to.deep.equal(["half_open", false]);
      stream.settle("failure");
      expect(bench.breaker.state).to.equal("open");
    });

    it("attempts that were turned away do not dilute anything", () => {
      const bench = new BreakerBench(options);
      bench.breaker.trip();
      for (let time = 0; time < 1_000; time++) expect(bench.breaker.acquire()).to.equal(undefined);
      bench.wait(1_000);
      bench.attempt("failure");
      expect(bench.breaker.state).to.equal("open");
    });

    it("one failure after recovery does not open it again", () => {
      const bench = new BreakerBench(options);
      bench.attempts(2, "failure");
      bench.openThenHalfOpen();
      bench.heal();
      bench.attempt("failure");
      expect(bench.breaker.state).to.equal("closed");
    });
  });
}
