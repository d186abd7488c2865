import { expect } from "chai";
import fc from "fast-check";
import { computeHealthScore } from "../../../../src/core/evidence/health-score.ts";
import { betaProbability, betaQuantile } from "../../../../src/core/evidence/incomplete-beta.ts";
import type { EvidenceKind } from "../../../../src/core/evidence/outcome-door.ts";
import {
  computeBetaDeviation,
  computeCautiousSuccess,
  SuccessPosterior,
  sampleSuccess,
} from "../../../../src/core/evidence/success-posterior.ts";

const anyKind = fc.constantFrom<EvidenceKind>("ok", "hard", "weak", "limited", "credential", "held", "none");

describe("the posterior of success", () => {
  it("begins as 20 attempts of which 99.5 % succeeded", () => {
    const posterior = new SuccessPosterior();
    expect(posterior.mean(0)).to.be.closeTo(0.995, 1e-12);
    expect(posterior.alpha(0) + posterior.beta(0)).to.be.closeTo(20, 1e-12);
  });

  it("counts a weak failure as half a one", () => {
    const posterior = new SuccessPosterior();
    posterior.record(0, "weak");
    posterior.record(0, "hard");
    posterior.record(0, "ok");
    expect([posterior.alpha(0), posterior.beta(0)].map((mass) => mass.toFixed(3))).to.deep.equal([
      "20.900",
      "1.600",
    ]);
  });

  it("forgets half in 45 s", () => {
    const posterior = new SuccessPosterior();
    for (let failure = 0; failure < 8; failure++) posterior.record(0, "hard");
    expect(posterior.beta(45_000)).to.be.closeTo(4.1, 1e-9);
    expect(posterior.beta(90_000)).to.be.closeTo(2.1, 1e-9);
  });

  it("neither learns nor forgets while frozen", () => {
    const posterior = new SuccessPosterior();
    posterior.record(0, "hard");
    posterior.freeze(0);
    const before = posterior.mean(0);
    posterior.record(10_000, "hard");
    expect(posterior.mean(3_600_000)).to.equal(before);
  });

  for (const lengthMs of [1_000, 60_000, 86_400_000]) {
    it(`charges an outage of ${lengthMs / 1_000} s once: it restarts from the probation prior`, () => {
      const posterior = new SuccessPosterior();
      for (let failure = 0; failure < 50; failure++) posterior.record(failure, "hard");
      posterior.freeze(50);
      posterior.restart(50 + lengthMs);
      expect(posterior.alpha(50 + lengthMs)).to.be.closeTo(3, 1e-9);
      expect(posterior.beta(50 + lengthMs)).to.be.closeTo(1, 1e-9);
      expect(posterior.mean(50 + lengthMs + 600_000)).to.be.above(0.99);
    });
  }

  it("is not moved by what has another door, never raised by a failure, never lowered by a success (property)", () => {
    const history = fc.array(fc.tuple(fc.nat(60_000), anyKind), { maxLength: 40 });
    fc.assert(
      fc.property(history, anyKind, (events, kind) => {
        const posterior = new SuccessPosterior();
        let nowMs = 0;
        for (const [gapMs, each] of events) {
          nowMs += gapMs;
          posterior.record(nowMs, each);
        }
        const before = posterior.mean(nowMs);
        posterior.record(nowMs, kind);
        const change = posterior.mean(nowMs) - before;
        if (kind === "ok") expect(change).to.be.at.least(-1e-12);
        else if (kind === "hard" || kind === "weak") expect(change).to.be.at.most(1e-12);
        else expect(change).to.equal(0);
      }),
    );
  });

  it("stays within 0 and 1 for any times (property)", () => {
    const step = fc.constantFrom("record", "freeze", "restart");
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.double(), step, anyKind)), fc.double(), (steps, nowMs) => {
        const posterior = new SuccessPosterior();
        for (const [atMs, action, kind] of steps) {
          if (action === "freeze") posterior.freeze(atMs);
          else if (action === "restart") posterior.restart(atMs);
          else posterior.record(atMs, kind);
        }
        expect(posterior.mean(nowMs)).to.be.within(0, 1);
        expect(posterior.deviation(nowMs)).to.be.within(0, 0.5);
      }),
    );
  });

  it("is sampled with half of its deviation, within 0 and 1", () => {
    const deviation = computeBetaDeviation(9, 1);
    expect(sampleSuccess(0.9, deviation, 0)).to.equal(0.9);
    expect(sampleSuccess(0.9, deviation, -1)).to.be.closeTo(0.9 - deviation / 2, 1e-12);
    expect([sampleSuccess(0.9, 1, 9), sampleSuccess(0.9, 1, -9)]).to.deep.equal([1, 0]);
    expect(sampleSuccess(0.9, 1, Number.NaN)).to.equal(0);
  });
});

describe("the beta distribution", () => {
  // Closed forms: Beta(a, 1) is x^a, Beta(1, b) is 1 − (1 − x)^b, Beta(½, ½) the arcsine law.
  it("has the probabilities of its closed forms", () => {
    for (const x of [0.01, 0.3, 0.5, 0.9, 0.999]) {
      for (const a of [0.1, 1, 3, 200]) {
        expect(betaProbability(x, a, 1)).to.be.closeTo(x ** a, 1e-8);
        expect(betaProbability(x, 1, a)).to.be.closeTo(1 - (1 - x) ** a, 1e-8);
      }
      expect(betaProbability(x, 0.5, 0.5)).to.be.closeTo((2 / Math.PI) * Math.asin(Math.sqrt(x)), 1e-8);
    }
  });

  it("has quantiles that give their probability back (property)", () => {
    const mass = fc.double({ min: 0.1, max: 10_000, noNaN: true });
    fc.assert(
      fc.property(mass, mass, fc.double({ min: 0.05, max: 0.95, noNaN: true }), (a, b, ratio) => {
        const x = betaQuantile(ratio, a, b);
        const [below, above] = [Math.max(x - 1e-6, 0), Math.min(x + 1e-6, 1)];
        expect(betaProbability(below, a, b)).to.be.at.most(ratio + 1e-6);
        expect(betaProbability(above, a, b)).to.be.at.least(ratio - 1e-6);
      }),
    );
  });
});

describe("the health score", () => {
  const healthy = { alpha: 19.9, beta: 0.1, expectedMs: 1_000, referenceMs: 1_000, admittedRatio: 1 };

  it("is the cautious success rate of a deployment that is as fast as usual", () => {
    expect(computeHealthScore(healthy)).to.equal(computeCautiousSuccess(19.9, 0.1));
    expect(computeHealthScore(healthy)).to.be.within(0.97, 1);
  });

  it("is 0 while the breaker is open, and the admitted share of it while it ramps up", () => {
    expect(computeHealthScore({ ...healthy, admittedRatio: 0 })).to.equal(0);
    expect(computeHealthScore({ ...healthy, admittedRatio: 0.3 })).to.be.closeTo(
      0.3 * computeHealthScore(healthy),
      1e-12,
    );
  });

  it("falls with slowness and does not rise with speed", () => {
    expect(computeHealthScore({ ...healthy, expectedMs: 2_000 })).to.be.closeTo(
      computeHealthScore(healthy) / 2,
      1e-12,
    );
    expect(computeHealthScore({ ...healthy, expectedMs: 10 })).to.equal(computeHealthScore(healthy));
  });

  it("is never raised by failures or slowness, and lies within 0 and 1 (property)", () => {
    const mass = fc.double({ min: 0.1, max: 1_000, noNaN: true });
    const ms = fc.double({ min: 1, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(mass, mass, mass, ms, ms, (alpha, beta, more, expectedMs, slowerMs) => {
        const facts = { alpha, beta, expectedMs, referenceMs: 1_000, admittedRatio: 1 };
        const score = computeHealthScore(facts);
        expect(score).to.be.within(0, 1);
        expect(computeHealthScore({ ...facts, beta: beta + more })).to.be.at.most(score + 1e-6);
        expect(computeHealthScore({ ...facts, expectedMs: expectedMs + slowerMs })).to.be.at.most(
          score + 1e-9,
        );
      }),
    );
  });
});
