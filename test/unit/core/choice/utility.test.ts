import { expect } from "chai";
import fc from "fast-check";
import type { CandidateView } from "../../../../src/core/choice/candidate-view.ts";
import { DEFAULT_CHOICE_SETTINGS, PRIORITY_WEIGHTS } from "../../../../src/core/choice/choice-settings.ts";
import { buildQualityTable } from "../../../../src/core/choice/quality-table.ts";
import { computeCrowding, computeUtility, drawSuccessRatio } from "../../../../src/core/choice/utility.ts";
import type { Priority } from "../../../../src/domain/request.ts";
import { seededRandom } from "../../../../src/lib/random.ts";
import { sampleModel } from "../../../support/sample-catalog.ts";
import {
  countChoices,
  decide,
  historyAfter,
  type InputOptions,
  nameChoice,
  sampleInput,
  sampleView,
  scoreContext,
  viewOf,
} from "./choice-bench.ts";

const PRIORITIES: readonly Priority[] = ["speed", "quality", "cost", "balanced"];

function utilityOf(view: CandidateView, options: InputOptions = {}): number {
  return computeUtility(view, view.successMean, scoreContext(sampleInput([[view]], options)));
}

const ratio = fc.double({ min: 0, max: 1, noNaN: true });
const weights = fc.record({ quality: ratio, speed: ratio, cost: ratio });

const price = (perMillion: number) => ({ inputNanoUsd: perMillion, outputNanoUsd: perMillion });

describe("the utility of a candidate", () => {
  it("never rises with the failures seen (property 4)", () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.nat(200),
        fc.constantFrom(...PRIORITIES),
        (goodCount, badCount, priority) => {
          const withFailures = (failureCount: number) => {
            const good = 19.9 + goodCount;
            const bad = 0.1 + failureCount;
            return utilityOf(viewOf("m", { successMean: good / (good + bad) }), { request: { priority } });
          };
          expect(withFailures(badCount + 1)).to.be.at.most(withFailures(badCount));
        },
      ),
    );
  });

  it("never falls when the latency does (property 4)", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1e5, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(...PRIORITIES),
        (ttftMeanMs, part, priority) => {
          const at = (ms: number) => utilityOf(viewOf("m", { ttftMeanMs: ms }), { request: { priority } });
          expect(at(ttftMeanMs * part)).to.be.at.least(at(ttftMeanMs));
        },
      ),
    );
  });

  it("never rises with the price, under any weights (property 4)", () => {
    fc.assert(
      fc.property(weights, fc.nat(1e9), fc.nat(1e9), (drawn, cheap, extra) => {
        const settings = { weights: { ...PRIORITY_WEIGHTS, balanced: drawn } };
        const at = (perMillion: number) =>
          utilityOf(viewOf("m", {}, { price: price(perMillion) }), { settings });
        expect(at(cheap + extra)).to.be.at.most(at(cheap));
      }),
    );
  });

  it("is best of more candidates never less than of fewer (property 4)", () => {
    fc.assert(
      fc.property(fc.array(ratio, { minLength: 1, maxLength: 8 }), ratio, (means, more) => {
        const bestOf = (list: readonly number[]) =>
          Math.max(...list.map((successMean, index) => utilityOf(viewOf(`m${index}`, { successMean }))));
        expect(bestOf([...means, more])).to.be.at.least(bestOf(means));
      }),
    );
  });

  it("stays a number for any view, however absurd", () => {
    const any = fc.double({ min: 0, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(ratio, any, any, any, ratio, (successMean, ttftMeanMs, tpotMs, load, headroomRatio) => {
        const inFlightCount = Math.floor(load);
        const view = viewOf(
          "m",
          { successMean, ttftMeanMs, tpotMs, inFlightCount, headroomRatio },
          { concurrencyLimit: 1 },
        );
        expect(Number.isFinite(utilityOf(view))).to.equal(true);
      }),
    );
  });

  it("draws a success ratio around the mean with half the deviation, within 0 and 1", () => {
    const random = seededRandom(3);
    const view = viewOf("m", { successMean: 0.6, successDeviation: 0.1 });
    const drawn = Array.from({ length: 20_000 }, () =>
      drawSuccessRatio(view, DEFAULT_CHOICE_SETTINGS, random),
    );
    const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
    const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length;
    expect(mean).to.be.closeTo(0.6, 0.002);
    expect(Math.sqrt(variance)).to.be.closeTo(0.05, 0.002);
    const edge = viewOf("m", { successMean: 0.99, successDeviation: 0.5 });
    for (let index = 0; index < 1_000; index++) {
      expect(drawSuccessRatio(edge, DEFAULT_CHOICE_SETTINGS, random)).to.be.within(0, 1);
    }
  });

  it("loses to the quota that is used up, as its price rises", () => {
    const at = (headroomRatio: number) =>
      computeCrowding(viewOf("m", { headroomRatio }), DEFAULT_CHOICE_SETTINGS);
    expect([at(1), at(0.5), at(0)].map((loss) => Number(loss.toFixed(4)))).to.deep.equal([0, 0.1, 0.2]);
  });

  it("loses to full places, and more for every attempt that waits", () => {
    const at = (inFlightCount: number) =>
      computeCrowding(viewOf("m", { inFlightCount }, { concurrencyLimit: 2 }), DEFAULT_CHOICE_SETTINGS);
    expect([at(0), at(1), at(2), at(4)].map((loss) => Number(loss.toFixed(4)))).to.deep.equal([
      0, 0, 0.3, 0.5,
    ]);
  });

  it("charges a candidate of the provider that has just failed", () => {
    const failed = viewOf("failed", {}, { providers: ["p"] });
    const same = viewOf("same", {}, { providers: ["p"] });
    const other = viewOf("other", {}, { providers: ["q"] });
    const history = historyAfter(failed);
    expect(utilityOf(other, { history }) - utilityOf(same, { history })).to.be.closeTo(0.05, 1e-9);
    expect(nameChoice(decide([[same, other]], { history }))).to.equal("other");
  });
});

describe("the priorities", () => {
  const fast = viewOf("fast", { ttftMeanMs: 100, tpotMs: 2 }, { tiers: { quality: 1 }, price: price(2e9) });
  const good = viewOf(
    "good",
    { ttftMeanMs: 2_000, tpotMs: 30 },
    { tiers: { quality: 5 }, price: price(5e9) },
  );
  const cheap = viewOf(
    "cheap",
    { ttftMeanMs: 1_500, tpotMs: 20 },
    { tiers: { quality: 2 }, price: price(1e7) },
  );
  const tiers = [[fast, good, cheap]];

  for (const [priority, name] of [
    ["speed", "fast"],
    ["quality", "good"],
    ["cost", "cheap"],
  ] as const) {
    it(`let ${priority} choose the ${name} one`, () => {
      expect(nameChoice(decide(tiers, { request: { priority } }))).to.equal(name);
    });
  }

  it("can be given other weights", () => {
    const settings = { weights: { ...PRIORITY_WEIGHTS, speed: { quality: 1, speed: 0, cost: 0 } } };
    expect(nameChoice(decide(tiers, { request: { priority: "speed" }, settings }))).to.equal("good");
  });

  it("do not let a free model win every cost ranking: its places and its quota count", () => {
    const paid = viewOf("paid", {}, { price: price(1e8) });
    const free = (inFlightCount: number, headroomRatio = 1) =>
      viewOf("free", { inFlightCount, headroomRatio }, { price: price(0), concurrencyLimit: 1 });
    const choose = (view: CandidateView) =>
      nameChoice(decide([[view, paid]], { request: { priority: "cost" } }));
    expect([choose(free(0)), choose(free(1)), choose(free(3)), choose(free(0, 0.03))]).to.deep.equal([
      "free",
      "paid",
      "paid",
      "paid",
    ]);
  });

  it("take an unknown price for a guess by the cost tier, not for free", () => {
    const unknown = viewOf("unknown", {}, { tiers: { cost: 5 } });
    const known = viewOf("known", {}, { price: price(1e8) });
    expect(nameChoice(decide([[unknown, known]], { request: { priority: "cost" } }))).to.equal("known");
  });

  it("choose the same when all prices and their reference are multiplied (property 5)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1e9), { minLength: 2, maxLength: 6 }),
        fc.constantFrom(0.125, 0.5, 2, 64),
        fc.constantFrom(...PRIORITIES),
        (prices, factor, priority) => {
          const at = (scale: number) =>
            nameChoice(
              decide([prices.map((one, index) => viewOf(`m${index}`, {}, { price: price(one * scale) }))], {
                request: { priority },
                settings: { referenceCostNanoUsd: 1e6 * scale },
                random: seededRandom(1),
              }),
            );
          expect(at(factor)).to.equal(at(1));
        },
      ),
    );
  });

  it("choose the same when all times and their reference are multiplied (property 5)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4_000 }), { minLength: 2, maxLength: 6 }),
        fc.constantFrom(0.125, 0.5, 2, 8),
        (times, factor) => {
          const at = (scale: number) =>
            nameChoice(
              decide(
                [
                  times.map((ms, index) =>
                    viewOf(`m${index}`, { ttftMeanMs: ms * scale, tpotMs: 8 * scale }),
                  ),
                ],
                {
                  request: { priority: "speed" },
                  settings: {
                    referenceLatencyMs: 1_000 * scale,
                    referenceMsPerToken: 16 * scale,
                    promptMsPerToken: 0.0625 * scale,
                  },
                  remainingMs: 1e9,
                  random: seededRandom(1),
                },
              ),
            );
          expect(at(factor)).to.equal(at(1));
        },
      ),
    );
  });

  it("share the requests alike in whatever order the candidates stand (property 5)", () => {
    const views = [0.99, 0.985, 0.98, 0.9].map((successMean, index) =>
      viewOf(`m${index}`, { successMean, successDeviation: 0.02 }),
    );
    const count = 20_000;
    const one = countChoices([views], {}, count);
    const other = countChoices([views.toReversed()], { random: seededRandom(99) }, count);
    for (const { model } of views) {
      const difference = (one.get(model.name) ?? 0) - (other.get(model.name) ?? 0);
      expect(Math.abs(difference) / count).to.be.below(0.02);
    }
  });
});

describe("the quality of a task", () => {
  it("moves the choice to the model that the catalog calls good at it", () => {
    const coder = sampleModel("coder", { taskSuitability: { code_generation: 1 } });
    const writer = sampleModel("writer", { taskSuitability: { text_generation: 1 } });
    const tiers = [[sampleView(coder), sampleView(writer)]];
    const quality = buildQualityTable([coder, writer]);
    expect(nameChoice(decide(tiers, { task: "code_generation", quality }))).to.equal("coder");
    expect(nameChoice(decide(tiers, { task: "text_generation", quality }))).to.equal("writer");
  });
});
