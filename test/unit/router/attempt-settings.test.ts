import { expect } from "chai";
import fc from "fast-check";
import { applyTierSettings, limitAttempt } from "../../../src/router/attempt-settings.ts";
import { sampleRequest } from "../../support/sample-catalog.ts";

const TIMEOUTS = { firstTokenMs: 5_000, idleMs: 2_000, totalMs: 60_000 };
const ms = fc.integer({ min: 1, max: 100_000 });
const tokens = fc.option(fc.integer({ min: 1, max: 10_000 }), { nil: undefined });

describe("the request of an attempt", () => {
  it("is the caller's own object where the tier changes nothing", () => {
    const request = sampleRequest({ sampling: { temperature: 0.2, maxOutputTokens: 10 } });
    expect(applyTierSettings(request, { temperature: 1, maxOutputTokens: 100 }, 10)).to.equal(request);
  });

  it("never asks for more tokens than caller, echelon or window allow, and never invents a limit", () => {
    fc.assert(
      fc.property(tokens, tokens, tokens, (asked, ofTier, ofWindow) => {
        const request = sampleRequest({ sampling: asked === undefined ? {} : { maxOutputTokens: asked } });
        const tier = ofTier === undefined ? {} : { maxOutputTokens: ofTier };
        const sent = applyTierSettings(request, tier, ofWindow).sampling.maxOutputTokens;
        const given = [asked, ofTier, ofWindow].filter((each) => each !== undefined);
        expect(sent).to.equal(given.length === 0 ? undefined : Math.min(...given));
      }),
    );
  });

  it("keeps a temperature of 0 that the caller named", () => {
    const request = sampleRequest({ sampling: { temperature: 0 } });
    expect(applyTierSettings(request, { temperature: 0.7 }, undefined).sampling.temperature).to.equal(0);
  });
});

describe("the time of an attempt", () => {
  it("shares what is left among the attempts that are possible, for the first token only", () => {
    expect(limitAttempt(TIMEOUTS, {}, 6_000, 3)).to.deep.equal({ ...TIMEOUTS, firstTokenMs: 2_000 });
  });

  it("is never longer than what is configured, for the service or the echelon", () => {
    fc.assert(
      fc.property(ms, ms, fc.integer({ min: 1, max: 10 }), (timeoutMs, remainingMs, possibleCount) => {
        const limits = limitAttempt(TIMEOUTS, { timeoutMs }, remainingMs, possibleCount);
        expect(limits.totalMs).to.equal(Math.min(timeoutMs, TIMEOUTS.totalMs));
        // The last possible attempt is cut by the deadline itself.
        const shareMs = possibleCount === 1 ? Number.POSITIVE_INFINITY : remainingMs / possibleCount;
        expect(limits.firstTokenMs).to.be.at.most(Math.min(limits.totalMs, TIMEOUTS.firstTokenMs, shareMs));
      }),
    );
  });
});
