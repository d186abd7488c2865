import { expect } from "chai";
import fc from "fast-check";
import type { Outcome } from "../../../../src/domain/outcome.ts";
import { seededRandom } from "../../../../src/lib/random.ts";
import { ORDINARY_SPEED } from "../../../../src/policies/evidence/evidence-options.ts";
import { measureHeldBytes } from "../../../support/held-memory.ts";
import { sampleModel } from "../../../support/sample-catalog.ts";
import { EvidenceBench } from "./evidence-bench.ts";
import { OUTCOMES } from "./outcomes.ts";

const priorMeanMs = ORDINARY_SPEED.timeToFirstToken.medianMs * Math.exp(0.125);

describe("the table of evidence", () => {
  it("believes the priors of a deployment that was never tried", () => {
    const view = new EvidenceBench(["p"]).view();
    expect(view.successMean).to.be.closeTo(0.995, 1e-9);
    expect(view.ttftMeanMs).to.be.closeTo(priorMeanMs, 1e-6);
    expect(view).to.include({
      inFlightCount: 0,
      headroomRatio: 1,
      cooldownUntilMs: 0,
      credentialDisabledUntilMs: 0,
      heldUntilMs: 0,
      suspect: false,
      breaker: "closed",
      permitAvailable: true,
      rampRatio: 1,
      lastSampleAgeMs: Number.POSITIVE_INFINITY,
    });
    expect(view.healthScore).to.be.within(0.9, 1);
  });

  it("knows no deployment that is not in its catalog", () => {
    const [stranger] = sampleModel("stranger").deployments;
    if (stranger === undefined) throw new Error("a sample model has a deployment");
    expect(() => new EvidenceBench(["p"]).table.view(stranger, 0)).to.throw("stranger-provider/stranger");
  });

  it("counts attempts in flight from start to end", () => {
    const bench = new EvidenceBench(["p"]);
    const ends = [bench.start(), bench.start(), bench.start()];
    expect(bench.view().inFlightCount).to.equal(3);
    for (const [position, end] of ends.entries()) {
      end(position === 0 ? "cancelled" : "success");
      expect(bench.view().inFlightCount).to.equal(2 - position);
    }
  });

  it("learns speed without the cost of the prompt, and pace from long answers", () => {
    const bench = new EvidenceBench(["p"]);
    for (let attempt = 0; attempt < 300; attempt++) {
      bench.start()("success", {
        timeToFirstTokenMs: 260,
        totalMs: 260 + 99 * 5,
        usage: { inputTokens: 3_000, outputTokens: 100 },
      });
      bench.clock.ms += 100;
    }
    expect(bench.view().ttftMeanMs).to.be.within(190, 230);
    expect(bench.view().tpotMs).to.be.within(4.8, 5.8);
    expect(bench.view().lastSampleAgeMs).to.be.within(0, 200);
    expect(bench.table.firstTokenQuantileMs(bench.deployment(), 0.95, 5_000)).to.be.within(280, 320);
  });

  it("takes the hedging delay from the estimate while there are few samples", () => {
    const bench = new EvidenceBench(["p"]);
    const p95Ms = 1_000 * Math.exp(1.6448536 * 0.5);
    expect(bench.table.firstTokenQuantileMs(bench.deployment(), 0.95, 0)).to.be.closeTo(p95Ms, 0.1);
  });

  it("uses the speed and the limits that it is given", () => {
    const bench = new EvidenceBench(["p"], {
      speedOf: () => ({
        timeToFirstToken: { medianMs: 200, logDeviation: 0.1 },
        timePerToken: { medianMs: 3, logDeviation: 0.1 },
      }),
      limitsOf: () => ({ tokensPerMinute: 17_600 }),
    });
    expect(bench.view().ttftMeanMs).to.be.closeTo(201, 0.1);
    const end = bench.start();
    expect(bench.view().headroomRatio).to.be.closeTo(0.75, 1e-9);
    end("success", { usage: { inputTokens: 1_000, outputTokens: 650 } });
    expect(bench.view().headroomRatio).to.be.closeTo(0.625, 1e-9);
  });

  it("takes the provider's word on what is left", () => {
    const bench = new EvidenceBench(["p"]);
    bench.table.readHeaders(bench.deployment(), {
      tokens: { limit: 1_000, remaining: 100, resetMs: 60_000 },
    });
    expect(bench.view().headroomRatio).to.be.closeTo(0.1, 1e-9);
  });

  describe("one door per kind of evidence", () => {
    const untouched: readonly Outcome[] = [
      "rate_limit",
      "auth",
      "quota_exhausted",
      "model_unavailable",
      "invalid_request",
      "context_length_exceeded",
      "content_filter",
      "cancelled",
      "superseded",
      "local",
    ];
    for (const outcome of untouched) {
      it(`lets ${outcome} leave health, speed and breaker as they were`, () => {
        const [with_, without] = [new EvidenceBench(["p"]), new EvidenceBench(["p"])];
        for (const bench of [with_, without]) bench.run(5, "success");
        with_.run(50, outcome, 0, 0);
        for (const bench of [with_, without]) bench.run(5, "server_error", 0, 0);
        expect(with_.health()).to.deep.equal(without.health());
        expect(with_.breaker().state).to.equal(without.breaker().state);
      });
    }

    it("lets a 429 set the cooldown and lower the headroom", () => {
      const bench = new EvidenceBench(["p"]);
      bench.start()("rate_limit", { retryAfterMs: 4_000 });
      expect(bench.view().cooldownUntilMs).to.equal(bench.clock.ms + 4_000);
      expect(bench.view().headroomRatio).to.be.closeTo(0.7, 1e-9);
      bench.start()("rate_limit", { retryAfterMs: 1_000 });
      expect(bench.view().cooldownUntilMs).to.equal(bench.clock.ms + 4_000);
    });

    it("lets a 429 back off by itself when the provider names no time", () => {
      const bench = new EvidenceBench(["p"]);
      bench.start()("rate_limit");
      expect(bench.view().cooldownUntilMs).to.equal(bench.clock.ms + 1_000);
    });

    for (const outcome of ["auth", "quota_exhausted"] as const) {
      it(`lets ${outcome} disable the credential of all the provider's deployments for 15 min`, () => {
        const bench = new EvidenceBench(["p", "p", "q"]);
        bench.start()(outcome);
        bench.clock.ms += 101;
        const until = [0, 1, 2].map((position) => bench.view(position).credentialDisabledUntilMs);
        expect(until).to.deep.equal([900_000 + 1_000, 900_000 + 1_000, 0]);
        bench.table.reset(bench.deployment(1));
        expect(bench.view(1).credentialDisabledUntilMs).to.equal(0);
      });
    }

    it("lets model_unavailable set the deployment aside for 10 min, and no other", () => {
      const bench = new EvidenceBench(["p", "p"]);
      bench.start()("model_unavailable");
      expect([bench.view(0).heldUntilMs, bench.view(1).heldUntilMs]).to.deep.equal([601_000, 0]);
    });

    it("takes a primary that was hedged away late for weak evidence, and its wait for a censored sample", () => {
      const bench = new EvidenceBench(["p"]);
      const [successMean = 0] = bench.health();
      bench.start()("superseded", { totalMs: 1_100 });
      expect(bench.health()[0]).to.equal(successMean);
      bench.start()("superseded", { totalMs: 6_000 });
      expect(bench.view().successMean).to.be.below(successMean);
      expect(bench.view().ttftLogMean).to.be.above(Math.log(1_000) + 0.1);
    });
  });

  describe("and the breaker", () => {
    it("opens it at the third hard failure without a success", () => {
      const bench = new EvidenceBench(["p"]);
      bench.run(2, "server_error");
      expect(bench.view().breaker).to.equal("closed");
      bench.run(1, "server_error");
      expect(bench.view()).to.include({
        breaker: "open",
        rampRatio: 0,
        permitAvailable: false,
        healthScore: 0,
      });
      expect(bench.view().openUntilMs).to.equal(bench.clock.ms - 10 + 1_000);
    });

    it("opens it at five weak failures", () => {
      const bench = new EvidenceBench(["p"]);
      bench.run(4, "overloaded");
      expect(bench.view().breaker).to.equal("closed");
      bench.run(1, "overloaded");
      expect(bench.view().breaker).to.equal("open");
    });

    it("neither learns nor forgets while it is open", () => {
      const bench = new EvidenceBench(["p"]);
      bench.run(3, "server_error");
      const { successMean } = bench.view();
      bench.clock.ms += 900;
      expect(bench.view()).to.include({ breaker: "open", successMean });
    });

    it("charges an outage once, of any length: the score restarts from the probation prior (property)", () => {
      const recover = (failureCount: number, openMs: number) => {
        const bench = new EvidenceBench(["p"]);
        bench.run(20, "success");
        bench.run(failureCount, "server_error");
        bench.clock.ms += openMs;
        while (bench.view().breaker !== "ramping") {
          bench.clock.ms += bench.breaker().nextProbeDelayMs;
          bench.start()("success");
        }
        return bench.view().successMean;
      };
      const expected = recover(11, 2_000);
      expect(expected).to.be.closeTo(4 / 5, 1e-9);
      fc.assert(
        fc.property(fc.integer({ min: 11, max: 60 }), fc.nat(10_000_000), (failureCount, openMs) => {
          expect(recover(failureCount, openMs)).to.be.closeTo(expected, 1e-9);
        }),
        { numRuns: 50 },
      );
    });

    it("does not hold the old failures against it after it has closed", () => {
      const bench = new EvidenceBench(["p"]);
      bench.run(3, "server_error");
      bench.clock.ms += 1_000;
      bench.run(2, "success");
      expect(bench.view()).to.include({ breaker: "ramping", rampRatio: 0.1, breakerState: "closed" });
      bench.run(1, "server_error");
      expect(bench.view().breaker).to.equal("ramping");
      bench.run(2, "server_error");
      expect(bench.view().breaker).to.equal("open");
    });

    it("ignores what attempts from before the outage say after it", () => {
      const bench = new EvidenceBench(["p"]);
      const old = Array.from({ length: 5 }, () => bench.start());
      bench.run(3, "network");
      bench.clock.ms += 1_000;
      bench.run(2, "success");
      const before = bench.health();
      for (const end of old) end("timeout", { totalMs: 60_000 });
      expect(bench.view().breaker).to.equal("ramping");
      expect(bench.health()).to.deep.equal(before);
      expect(bench.view().inFlightCount).to.equal(0);
    });

    it("lets a 429 on a probe delay the next one, and neither open nor close", () => {
      const bench = new EvidenceBench(["p"]);
      bench.run(3, "server_error");
      bench.clock.ms += 1_000;
      bench.start()("rate_limit", { retryAfterMs: 5_000 });
      expect(bench.view()).to.include({ breaker: "half_open", permitAvailable: false });
      expect(bench.view().openUntilMs).to.equal(bench.clock.ms + 5_000);
      bench.clock.ms += 5_000;
      expect(bench.view().permitAvailable).to.equal(true);
    });

    it("puts the other deployments of a provider on trial when two of them have tripped", () => {
      const bench = new EvidenceBench(["p", "p", "p", "q"]);
      bench.run(3, "server_error", 0);
      bench.run(3, "server_error", 1);
      bench.clock.ms += 101;
      expect(bench.view(2).successMean).to.be.closeTo(0.995 * 0.9, 0.001);
      expect(bench.view(3).successMean).to.be.closeTo(0.995, 0.001);
      for (const position of [2, 3]) bench.run(2, "server_error", position);
      expect([bench.view(2).breaker, bench.view(3).breaker]).to.deep.equal(["open", "closed"]);
    });

    it("spares a deployment that was just seen to work from its provider's fate", () => {
      const bench = new EvidenceBench(["p", "p", "p"]);
      bench.run(3, "server_error", 0);
      bench.run(3, "server_error", 1);
      bench.run(1, "success", 2);
      expect(bench.view(2).successMean).to.be.above(0.99);
      bench.run(2, "server_error", 2);
      expect(bench.view(2).breaker).to.equal("closed");
    });

    it("works under the counting preset by failures in a row", () => {
      const bench = new EvidenceBench(["p"], {
        breaker: { kind: "counting", failureThreshold: 5, recoveryTimeMs: 60_000 },
      });
      bench.run(4, "server_error");
      expect(bench.view().breaker).to.equal("closed");
      bench.run(1, "server_error");
      expect(bench.view().breaker).to.equal("open");
    });
  });

  it("learns nothing of success and speed without performance_tracking, but the breaker works", () => {
    const bench = new EvidenceBench(["p"], { performanceTracking: false });
    const before = bench.health();
    bench.run(50, "success");
    bench.run(2, "server_error");
    expect(bench.health()).to.deep.equal(before);
    bench.start()("rate_limit", { retryAfterMs: 1_000 });
    expect(bench.view().cooldownUntilMs).to.be.above(0);
    bench.run(20, "server_error");
    expect(bench.view().breaker).to.equal("open");
  });

  it("starts anew at an operator's word", () => {
    const bench = new EvidenceBench(["p"]);
    const before = bench.health();
    bench.run(3, "success");
    bench.run(8, "server_error");
    bench.start()("rate_limit", { retryAfterMs: 60_000 });
    bench.start()("model_unavailable");
    bench.table.reset(bench.deployment());
    expect(bench.health()).to.deep.equal(before);
    expect(bench.view()).to.include({ breaker: "closed", cooldownUntilMs: 0, heldUntilMs: 0 });
    bench.run(2, "server_error");
    expect(bench.view().breaker).to.equal("closed");
  });

  it("is at most 100 ms behind time, and never behind an event", () => {
    const bench = new EvidenceBench(["p"]);
    bench.start()("success");
    const { successMean } = bench.view();
    bench.clock.ms += 100;
    expect(bench.view().successMean).to.equal(successMean);
    bench.clock.ms += 1;
    expect(bench.view().successMean).to.not.equal(successMean);
    bench.start()("server_error");
    expect(bench.view().successMean).to.be.below(successMean);
  });

  it("shows only finite numbers whatever happens (property)", () => {
    const step = fc.record({
      outcome: fc.constantFrom(...OUTCOMES),
      gapMs: fc.constantFrom(0, 1, 500, 5_000, 1e7),
      totalMs: fc.double(),
      timeToFirstTokenMs: fc.option(fc.double(), { nil: undefined }),
      retryAfterMs: fc.option(fc.double(), { nil: undefined }),
      tokens: fc.option(fc.double(), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const bench = new EvidenceBench(["p"], { limitsOf: () => ({ tokensPerMinute: 10_000 }) });
        for (const { outcome, gapMs, totalMs, timeToFirstTokenMs, retryAfterMs, tokens } of steps) {
          bench.start()(outcome, {
            totalMs,
            ...(timeToFirstTokenMs === undefined ? {} : { timeToFirstTokenMs }),
            ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
            ...(tokens === undefined ? {} : { usage: { inputTokens: tokens, outputTokens: tokens } }),
          });
          bench.clock.ms += gapMs;
          const { lastSampleAgeMs, healthScore, ...rest } = bench.view();
          expect(lastSampleAgeMs).to.be.at.least(0);
          expect(healthScore).to.be.within(0, 1);
          for (const [name, value] of Object.entries(rest)) {
            if (typeof value === "number") expect(Number.isFinite(value), name).to.equal(true);
          }
        }
      }),
    );
  });

  it("keeps its memory flat over many records", function () {
    this.timeout(20_000);
    const bench = new EvidenceBench(["p", "p", "q"]);
    const random = seededRandom(1);
    const work = (count: number) => {
      for (let attempt = 0; attempt < count; attempt++) {
        const position = Math.floor(random.next() * 3);
        bench.start(position)(random.next() < 0.98 ? "success" : "server_error");
        bench.clock.ms += 3;
      }
    };
    work(50_000);
    const beforeBytes = measureHeldBytes();
    work(300_000);
    // 300,000 records of even 8 bytes would be 2.4 MB.
    expect(measureHeldBytes() - beforeBytes).to.be.below(2e6);
  });
});
