import { expect } from "chai";
import fc from "fast-check";
import {
  computePaceMs,
  LatencyEstimate,
  promptCostMs,
  subtractPromptMs,
} from "../../../../src/core/evidence/latency-estimate.ts";
import { LatencySeries } from "../../../../src/core/evidence/latency-series.ts";
import { normalQuantile } from "../../../../src/core/evidence/normal-quantile.ts";

const PRIOR = { medianMs: 1_000, logDeviation: 0.5 };

/** Samples of one latency, ten per second for so many seconds. */
function feed(estimate: LatencyEstimate, fromMs: number, seconds: number, ms: number): number {
  let nowMs = fromMs;
  for (let sample = 0; sample < seconds * 10; sample++) {
    nowMs += 100;
    estimate.record(nowMs, ms);
  }
  return nowMs;
}

const medianOf = (estimate: LatencyEstimate, nowMs: number) => estimate.quantileMs(nowMs, 0.5);

describe("the estimate of a latency", () => {
  it("is the prior before the first sample, at any time", () => {
    const estimate = new LatencyEstimate(PRIOR);
    for (const nowMs of [0, 1e9]) {
      expect(medianOf(estimate, nowMs)).to.be.closeTo(1_000, 1e-6);
      expect(estimate.logDeviation(nowMs)).to.be.closeTo(0.5, 1e-9);
      expect(estimate.lastSampleAgeMs(nowMs)).to.equal(undefined);
    }
    expect(estimate.meanMs(0)).to.be.closeTo(1_000 * Math.exp(0.125), 1e-6);
  });

  it("finds the latency it is shown, and its quantiles lie in order", () => {
    const estimate = new LatencyEstimate(PRIOR);
    const nowMs = feed(estimate, 0, 300, 400);
    expect(medianOf(estimate, nowMs)).to.be.closeTo(400, 12);
    expect(estimate.quantileMs(nowMs, 0.95)).to.be.above(medianOf(estimate, nowMs));
  });

  it("rises faster than it falls", () => {
    const [rising, falling] = [new LatencyEstimate(PRIOR), new LatencyEstimate(PRIOR)];
    const [risesMs, fallsMs] = [feed(rising, 0, 300, 400), feed(falling, 0, 300, 1_600)];
    const half = (estimate: LatencyEstimate, nowMs: number, ms: number) => {
      let seconds = 0;
      let atMs = nowMs;
      while (Math.abs(Math.log(medianOf(estimate, atMs) / 800)) > 0.05 && seconds < 300) {
        atMs = feed(estimate, atMs, 1, ms);
        seconds += 1;
      }
      return seconds;
    };
    const [upSeconds, downSeconds] = [half(rising, risesMs, 1_600), half(falling, fallsMs, 400)];
    expect(upSeconds).to.be.below(downSeconds);
    expect(downSeconds).to.be.below(60);
  });

  it("drifts back to the prior after 30 s without samples, half of the way in 90 s", () => {
    const estimate = new LatencyEstimate(PRIOR);
    const nowMs = feed(estimate, 0, 300, 250);
    const before = estimate.logMean(nowMs);
    expect(estimate.logMean(nowMs + 30_000)).to.equal(before);
    const half = (before + Math.log(1_000)) / 2;
    expect(estimate.logMean(nowMs + 120_000)).to.be.closeTo(half, 1e-9);
    expect(medianOf(estimate, nowMs + 3_600_000)).to.be.closeTo(1_000, 1);
    expect(estimate.lastSampleAgeMs(nowMs + 5_000)).to.equal(5_000);
  });

  it("is moved by a wait that was cut off only when that was longer than estimated", () => {
    const estimate = new LatencyEstimate(PRIOR);
    estimate.recordCensored(1_000, 500);
    expect(medianOf(estimate, 1_000)).to.be.closeTo(1_000, 1e-6);
    estimate.recordCensored(1_000, 5_000);
    expect(medianOf(estimate, 1_000)).to.be.above(1_300);
  });

  it("is never lowered by a higher sample (property)", () => {
    const history = fc.array(fc.tuple(fc.nat(20_000), fc.integer({ min: 50, max: 60_000 })), {
      maxLength: 20,
    });
    const pair = fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 100_000 }));
    fc.assert(
      fc.property(history, pair, (samples, [one, two]) => {
        const [low, high] = [new LatencyEstimate(PRIOR), new LatencyEstimate(PRIOR)];
        let nowMs = 0;
        for (const [gapMs, ms] of samples) {
          nowMs += gapMs;
          low.record(nowMs, ms);
          high.record(nowMs, ms);
        }
        low.record(nowMs, Math.min(one, two));
        high.record(nowMs, Math.max(one, two));
        expect(high.logMean(nowMs)).to.be.at.least(low.logMean(nowMs) - 1e-12);
      }),
    );
  });

  it("stays finite and positive for any times and samples (property)", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.double(), fc.double())), fc.double(), (samples, nowMs) => {
        const estimate = new LatencyEstimate(PRIOR);
        for (const [atMs, ms] of samples) {
          estimate.record(atMs, ms);
          estimate.recordCensored(atMs, ms);
        }
        for (const value of [
          estimate.meanMs(nowMs),
          estimate.quantileMs(nowMs, 0.99),
          estimate.logDeviation(nowMs),
        ]) {
          expect(value).to.be.within(1e-9, 1e12);
        }
      }),
    );
  });
});

describe("a latency sample", () => {
  it("leaves out what the prompt costs: 20 µs per token", () => {
    expect(subtractPromptMs(500, 10_000)).to.equal(300);
    expect([0, -5, Number.NaN, Number.POSITIVE_INFINITY].map(promptCostMs)).to.deep.equal([0, 0, 0, 0]);
  });

  it("has a time per token only for answers of 8 tokens or more", () => {
    expect(computePaceMs(1_900, 500, 8)).to.equal(200);
    expect(computePaceMs(1_900, 500, 7)).to.equal(undefined);
    expect(computePaceMs(1_900, undefined, 8)).to.equal(undefined);
    expect(computePaceMs(400, 500, 8)).to.equal(undefined);
    expect(computePaceMs(1_900, 500, Number.NaN)).to.equal(undefined);
  });
});

describe("the histograms of a latency", () => {
  it("answer within 10 % and forget after two and a half minutes", () => {
    const series = new LatencySeries();
    for (let ms = 100; ms <= 10_000; ms += 100) series.record(10_000, ms);
    expect(series.percentileMs(20_000, 0.5)).to.be.within(4_500, 5_500);
    expect(series.percentileMs(20_000, 0.95)).to.be.within(8_600, 10_400);
    expect(series.sampleCount(20_000)).to.equal(100);
    expect(series.percentileMs(200_000, 0.5)).to.equal(undefined);
  });
});

describe("the quantile of the normal distribution", () => {
  const rows = [
    [0.5, 0],
    [0.1, -1.2815515655446004],
    [0.95, 1.6448536269514722],
    [0.999, 3.090232306167813],
    [0.01, -2.3263478740408408],
  ] as const;
  for (const [ratio, value] of rows) {
    it(`is ${value.toFixed(4)} at ${ratio}`, () => {
      expect(normalQuantile(ratio)).to.be.closeTo(value, 1e-8);
    });
  }

  it("is finite for every input", () => {
    for (const ratio of [0, 1, -1, 2, Number.NaN]) expect(Math.abs(normalQuantile(ratio))).to.be.below(8);
  });
});
