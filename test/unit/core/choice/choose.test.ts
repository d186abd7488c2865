import { expect } from "chai";
import fc from "fast-check";
import type { CandidateView } from "../../../../src/core/choice/candidate-view.ts";
import { Chooser } from "../../../../src/core/choice/choose.ts";
import { findFilter, maskOf, PASSED } from "../../../../src/core/choice/hard-filters.ts";
import { seededRandom } from "../../../../src/lib/random.ts";
import {
  countChoices,
  decide,
  historyAfter,
  NOW_MS,
  nameChoice,
  sampleInput,
  type ViewChanges,
  viewOf,
} from "./choice-bench.ts";

const COUNT = 4_000;

describe("the choice among the nearly best", () => {
  it("takes equals by turns of chance, and nobody who is clearly worse", () => {
    const tiers = [[viewOf("a"), viewOf("b"), viewOf("c"), viewOf("worse", { successMean: 0.9 })]];
    const counts = countChoices(tiers, {}, COUNT);
    expect([...counts.keys()].sort()).to.deep.equal(["a", "b", "c"]);
    for (const count of counts.values()) expect(count / COUNT).to.be.closeTo(1 / 3, 0.05);
  });

  it("prefers, of two equals, the one with more headroom for each attempt in flight", () => {
    const tiers = [[viewOf("busy", { inFlightCount: 4 }), viewOf("idle")]];
    expect(countChoices(tiers, {}, 200)).to.deep.equal(new Map([["idle", 200]]));
  });

  it("keeps the incumbent among the nearly best within one and a half times the gap", () => {
    // 0.0125 behind: beyond the gap of 0.01, within 0.015.
    const behind = viewOf("behind", { successMean: 0.995 - 0.0152 });
    const tiers = [[viewOf("best", { inFlightCount: 9 }), behind]];
    expect(nameChoice(decide(tiers))).to.equal("best");
    expect(nameChoice(decide(tiers, { incumbentId: behind.deployment.id }))).to.equal("behind");
    const far = viewOf("behind", { successMean: 0.995 - 0.03 });
    const lost = [[viewOf("best", { inFlightCount: 9 }), far]];
    expect(nameChoice(decide(lost, { incumbentId: far.deployment.id }))).to.equal("best");
  });

  it("counts more as nearly best in a pool, whose members the operator called equal", () => {
    const tiers = [[viewOf("best", { inFlightCount: 9 }), viewOf("behind", { successMean: 0.98 })]];
    expect(nameChoice(decide(tiers))).to.equal("best");
    expect(nameChoice(decide(tiers, { tiers: [{ scopes: ["pool p"] }] }))).to.equal("behind");
  });

  it("gives a candidate that is coming back only the admitted part of its requests", () => {
    const tiers = [
      [viewOf("back", { breaker: "ramping", rampRatio: 0.2 }), viewOf("worse", { successMean: 0.8 })],
    ];
    const counts = countChoices(tiers, {}, COUNT);
    expect((counts.get("back") ?? 0) / COUNT).to.be.closeTo(0.2, 0.03);
  });

  it("now and then takes one that was not measured for a minute, if it is not much worse", () => {
    const stale = { lastSampleAgeMs: 60_000, successMean: 0.9 };
    const tiers = (changes: ViewChanges) => [[viewOf("best"), viewOf("stale", { ...stale, ...changes })]];
    const share = (changes: ViewChanges, priority: "balanced" | "speed" = "balanced") =>
      (countChoices(tiers(changes), { request: { priority } }, COUNT).get("stale") ?? 0) / COUNT;
    expect(share({})).to.be.within(0.004, 0.02);
    expect([
      share({ lastSampleAgeMs: 59_999 }),
      share({ inFlightCount: 1 }),
      share({ successMean: 0.4 }),
      share({}, "speed"),
    ]).to.deep.equal([0, 0, 0, 0]);
  });
});

describe("the choice of a probe", () => {
  const half = viewOf("half", { breaker: "half_open", successMean: 0.2 });

  it("sends a request to a half-open candidate that is worth it, though its record is bad", () => {
    expect(decide([[viewOf("best"), half]])).to.deep.include({ kind: "chosen", view: half, reason: "probe" });
  });

  it("sends no last attempt, no fallback and few urgent requests", () => {
    const best = viewOf("best");
    const tiers = [[best, half]];
    expect(nameChoice(decide(tiers, { lastAttempt: true }))).to.equal("best");
    expect(nameChoice(decide(tiers, { history: historyAfter(viewOf("other")) }))).to.equal("best");
    const counts = countChoices(tiers, { request: { priority: "speed" } }, COUNT);
    expect((counts.get("half") ?? 0) / COUNT).to.be.closeTo(0.1, 0.02);
  });

  it("does not probe what costs far more, or is far worse, than the best", () => {
    const price = (nanoUsd: number) => ({ price: { inputNanoUsd: nanoUsd, outputNanoUsd: nanoUsd } });
    const dear = viewOf("half", { breaker: "half_open" }, { ...price(1e10), tiers: { quality: 5 } });
    const poor = viewOf("half", { breaker: "half_open", ttftMeanMs: 1e5 }, { tiers: { quality: 1 } });
    const good = { tiers: { quality: 5 }, price: price(1e9).price };
    const tiers = [[viewOf("best", {}, price(1e9)), dear]];
    // For quality its score is near enough; its cost is not.
    expect(nameChoice(decide(tiers, { request: { priority: "quality" } }))).to.equal("best");
    const settings = { probeMaxCostFactor: 10 };
    expect(nameChoice(decide(tiers, { request: { priority: "quality" }, settings }))).to.equal("half");
    expect(nameChoice(decide([[viewOf("best", {}, good), poor]]))).to.equal("best");
  });

  it("takes the half-open one even for a last attempt when there is nobody else", () => {
    const decision = decide([[half]], { lastAttempt: true });
    expect(decision).to.deep.include({ kind: "chosen", relaxed: "breaker", reason: "forced_probe" });
  });
});

describe("the choice among tiers", () => {
  it("takes a later tier only when no earlier one can serve", () => {
    const first = viewOf("first", { successMean: 0.7 });
    expect(nameChoice(decide([[first], [viewOf("second")]]))).to.equal("first");
    const down = viewOf("first", { breaker: "open" });
    expect(nameChoice(decide([[down], [viewOf("second")]]))).to.equal("second");
  });

  it("spills in proportion to what a crowded tier lacks", () => {
    const tiers = [[viewOf("first", { headroomRatio: 0.25 })], [viewOf("second")]];
    const share = (demand: number) =>
      (countChoices(tiers, { demandRatios: [demand] }, COUNT).get("first") ?? 0) / COUNT;
    // min(1, 1.4 × 0.25 / demand)
    expect(share(0.35)).to.equal(1);
    expect(share(0.7)).to.be.closeTo(0.5, 0.04);
    expect(share(1.4)).to.be.closeTo(0.25, 0.04);
  });

  it("does not spill from a tier whose one usable candidate has room", () => {
    const tiers = [[viewOf("dead", { breaker: "open" }), viewOf("first")], [viewOf("second")]];
    expect(countChoices(tiers, {}, 500)).to.deep.equal(new Map([["first", 500]]));
  });

  it("does not give up on a candidate that is coming back when there is nobody else", () => {
    const counts = countChoices([[viewOf("back", { breaker: "ramping", rampRatio: 0.1 })]], {}, 200);
    expect(counts).to.deep.equal(new Map([["back", 200]]));
  });

  it("spills nowhere when nothing below can serve", () => {
    const tiers = [[viewOf("first", { headroomRatio: 0.03 })], [viewOf("second", { breaker: "open" })]];
    const options = { demandRatios: [1], random: seededRandom(1) };
    for (let index = 0; index < 100; index++) {
      expect(decide(tiers, options)).to.deep.include({ view: tiers[0]?.[0], relaxed: undefined });
    }
  });

  it("does not spill from a tier in a strict order", () => {
    const tiers = [[viewOf("first", { headroomRatio: 0.03 })], [viewOf("second")]];
    const options = { demandRatios: [1], tiers: [{ rotation: "fixed" as const }] };
    expect(countChoices(tiers, options, 500)).to.deep.equal(new Map([["first", 500]]));
  });

  it("takes a fixed tier's first usable candidate, however much better another is", () => {
    const tiers = [
      [viewOf("out", { breaker: "open" }), viewOf("poor", { successMean: 0.6 }), viewOf("good")],
    ];
    expect(nameChoice(decide(tiers, { tiers: [{ rotation: "fixed" }] }))).to.equal("poor");
  });

  it("asks the rotation among the usable of a tier in a strict order", () => {
    const tiers = [[viewOf("out", { breaker: "open" }), viewOf("a"), viewOf("b")]];
    const asked: string[][] = [];
    const rotation = {
      take: (_tier: unknown, usable: readonly CandidateView[]) => {
        asked.push(usable.map((view) => view.model.name));
        return 1;
      },
    };
    const decision = decide(tiers, { tiers: [{ rotation: "round_robin" }], rotation });
    expect([nameChoice(decision), asked]).to.deep.equal(["b", [["a", "b"]]]);
  });
});

describe("the choice after a failure", () => {
  const a1 = viewOf("a1", {}, { providers: ["a"] });
  const a2 = viewOf("a2", {}, { providers: ["a"] });
  const b1 = viewOf("b1", {}, { providers: ["b"] });
  const tiers = [[a1, a2], [b1]];
  const history = historyAfter(a1);

  for (const [fallback, name] of [
    ["spill", "a2"],
    ["next_tier", "b1"],
    ["other_provider", "b1"],
    ["same_deployment", "a1"],
  ] as const) {
    it(`goes to ${name} under ${fallback}`, () => {
      expect(nameChoice(decide(tiers, { fallback, history }))).to.equal(name);
    });
  }

  it("comes back to what is left when the rule leads nowhere", () => {
    const fromLast = historyAfter(b1, { tierIndex: 1 });
    expect(nameChoice(decide(tiers, { fallback: "next_tier", history: fromLast }))).to.match(/^a[12]$/);
    const down = [[a1, a2], [viewOf("b1", { breaker: "open" }, { providers: ["b"] })]];
    expect(nameChoice(decide(down, { fallback: "other_provider", history }))).to.equal("a2");
    const resting = [[viewOf("a1", { cooldownUntilMs: NOW_MS + 1 }, { providers: ["a"] }), a2]];
    expect(nameChoice(decide(resting, { fallback: "same_deployment", history }))).to.equal("a2");
  });

  it("does not repeat a deployment whose failure bars it", () => {
    const barred = historyAfter(a1, { scope: "other_provider" });
    expect(nameChoice(decide(tiers, { fallback: "same_deployment", history: barred }))).to.equal("b1");
  });

  it("says that everything was tried when nothing is left", () => {
    expect(nameChoice(decide([[a1]], { history }))).to.equal("none: exhausted");
  });
});

describe("the relaxation when nothing is left", () => {
  const strict = { limits: { minSuccessRatio: 0.99, maxLatencyMs: 2_000 } };
  const slow = { ttftMeanMs: 5_000 };

  it("gives up first what costs the caller least, in the documented order", () => {
    const suspect = viewOf("suspect", { suspect: true, permitAvailable: false, tpotMs: 1 });
    const seldom = viewOf("seldom", { successMean: 0.9, tpotMs: 1 });
    const late = viewOf("late", { ...slow, tpotMs: 1 });
    const full = viewOf("full", { headroomRatio: 0.01, tpotMs: 1 });
    const open = viewOf("open", { breaker: "open", tpotMs: 1 });
    const steps = [suspect, seldom, late, full, open].map((_, index, all) => {
      const decision = decide([all.slice(index).toReversed()], strict);
      return decision.kind === "chosen" ? [decision.view.model.name, decision.relaxed, decision.reason] : [];
    });
    expect(steps).to.deep.equal([
      ["suspect", "suspect", "best"],
      ["seldom", "min_success", "best"],
      ["late", "max_latency", "best"],
      ["full", "headroom", "headroom"],
      ["open", "breaker", "forced_probe"],
    ]);
  });

  it("takes the most headroom where all have next to none, once for a request", () => {
    const tiers = [
      [viewOf("less", { headroomRatio: 0.005 }), viewOf("more", { headroomRatio: 0.01, successMean: 0.5 })],
    ];
    expect(nameChoice(decide(tiers))).to.equal("more");
    expect(nameChoice(decide(tiers, { relaxedBefore: ["headroom"] }))).to.equal("none: rate_limited");
  });

  it("forces a probe of the least bad open breaker, once, and only with a permit", () => {
    const open = { breaker: "open", openUntilMs: NOW_MS + 500 } as const;
    const tiers = [
      [viewOf("worse", { ...open, successMean: 0.1 }), viewOf("better", { ...open, successMean: 0.4 })],
    ];
    expect(decide(tiers)).to.deep.include({ kind: "chosen", view: tiers[0]?.[1], reason: "forced_probe" });
    expect(nameChoice(decide(tiers, { relaxedBefore: ["breaker"] }))).to.equal("none: breaker");
    const taken = [[viewOf("worse", { ...open, permitAvailable: false })]];
    expect(decide(taken)).to.deep.include({ kind: "none", cause: "breaker", retryAtMs: NOW_MS + 500 });
  });

  it("fails with the earliest moment at which a candidate comes back", () => {
    const tiers = [
      [
        viewOf("late", { cooldownUntilMs: NOW_MS + 9_000 }),
        viewOf("soon", { cooldownUntilMs: NOW_MS + 2_000, heldUntilMs: NOW_MS + 3_000 }),
        viewOf("dead", { credentialDisabledUntilMs: Number.POSITIVE_INFINITY }),
        viewOf("blind", {}, { capabilities: { tools: false } }),
      ],
    ];
    const decision = decide(tiers, { request: { tools: [{ name: "f", description: "" }] } });
    expect(decision).to.deep.include({ kind: "none", cause: "set_aside", retryAtMs: NOW_MS + 3_000 });
  });

  for (const [cause, changes] of [
    ["credential", { credentialDisabledUntilMs: Number.POSITIVE_INFINITY }],
    ["deadline", { ttftMeanMs: 1e9 }],
    ["requirements", { permitted: false }],
  ] as const) {
    it(`names ${cause} as the cause without a time of return`, () => {
      expect(decide([[viewOf("m", changes)]])).to.deep.include({ kind: "none", cause, retryAtMs: undefined });
    });
  }
});

const viewChanges: fc.Arbitrary<ViewChanges> = fc.record({
  permitted: fc.boolean(),
  successMean: fc.double({ min: 0, max: 1, noNaN: true }),
  successDeviation: fc.double({ min: 0, max: 0.3, noNaN: true }),
  ttftMeanMs: fc.integer({ min: 1, max: 120_000 }),
  inFlightCount: fc.nat(5),
  headroomRatio: fc.double({ min: 0, max: 1, noNaN: true }),
  cooldownUntilMs: fc.constantFrom(0, NOW_MS, NOW_MS + 1_000),
  credentialDisabledUntilMs: fc.constantFrom(0, 0, NOW_MS + 1_000, Number.POSITIVE_INFINITY),
  heldUntilMs: fc.constantFrom(0, 0, NOW_MS + 50),
  breaker: fc.constantFrom("closed" as const, "open" as const, "half_open" as const, "ramping" as const),
  openUntilMs: fc.constantFrom(0, NOW_MS + 700),
  permitAvailable: fc.boolean(),
  rampRatio: fc.constantFrom(0.1, 0.5, 1),
  suspect: fc.boolean(),
  lastSampleAgeMs: fc.constantFrom(0, 61_000, Number.POSITIVE_INFINITY),
});

const someViews = fc
  .array(fc.tuple(viewChanges, fc.boolean(), fc.nat(2)), { minLength: 1, maxLength: 9 })
  .map((rows) =>
    rows.map(([changes, tools, provider], index) =>
      viewOf(`m${index}`, changes, { capabilities: { tools }, providers: [`p${provider}`] }),
    ),
  );

const situations = fc.record({
  views: someViews,
  cut: fc.nat(8),
  fallback: fc.constantFrom(
    "spill" as const,
    "next_tier" as const,
    "other_provider" as const,
    "same_deployment" as const,
  ),
  priority: fc.constantFrom("speed" as const, "quality" as const, "cost" as const, "balanced" as const),
  failed: fc.option(fc.nat(8), { nil: undefined }),
  seed: fc.nat(),
});

/** Filters that no relaxation may ever let through. */
const SAFE = maskOf("tried", "suspect", "ramp", "min_success", "max_latency", "headroom", "breaker");

describe("every decision", () => {
  const build = (situation: typeof situations extends fc.Arbitrary<infer T> ? T : never) => {
    const { views, cut, fallback, priority, failed, seed } = situation;
    const tiers = [views.slice(0, cut), views.slice(cut)].filter((tier) => tier.length > 0);
    const failedView = failed === undefined ? undefined : views[failed];
    return sampleInput(tiers, {
      fallback,
      random: seededRandom(seed),
      request: { priority, tools: [{ name: "f", description: "" }] },
      limits: { minSuccessRatio: 0.5, maxLatencyMs: 30_000 },
      ...(failedView === undefined ? {} : { history: historyAfter(failedView) }),
    });
  };

  it("never chooses what a filter removes that may not be relaxed, and needs a permit for a probe (property 6)", () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const input = build(situation);
        const decision = new Chooser().choose(input);
        if (decision.kind === "none") return;
        expect(findFilter(decision.view, input, SAFE)).to.equal(PASSED);
        expect(decision.view.cooldownUntilMs).to.be.at.most(NOW_MS);
        const { breaker, permitAvailable, deployment } = decision.view;
        if (breaker === "open" || breaker === "half_open") expect(permitAvailable).to.equal(true);
        if (decision.reason !== "same")
          expect(input.history?.tried.has(deployment.id) ?? false).to.equal(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it("finds a candidate whenever one passes every filter (property 7)", () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const input = build(situation);
        const usable = input.views.flat().some((view) => findFilter(view, input, 0) === PASSED);
        if (usable) expect(new Chooser().choose(input).kind).to.equal("chosen");
      }),
      { numRuns: 2_000 },
    );
  });

  it("is the same for the same input and seed, also by a chooser that decided other things before (property 11)", () => {
    const used = new Chooser();
    fc.assert(
      fc.property(situations, (situation) => {
        const fresh = new Chooser().choose({ ...build(situation), explain: true });
        expect(used.choose({ ...build(situation), explain: true })).to.deep.equal(fresh);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is not changed by being explained", () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const plain = new Chooser().choose(build(situation));
        const explained = new Chooser().choose({ ...build(situation), explain: true });
        if (plain.kind === "none") return;
        expect(explained).to.deep.include({ kind: "chosen", view: plain.view, reason: plain.reason });
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("the explanation of a decision", () => {
  it("gives every candidate's score parts or the filter that removed it, and marks the chosen one", () => {
    const tiers = [
      [viewOf("best"), viewOf("blind", {}, { capabilities: { tools: false } })],
      [viewOf("below", { breaker: "open" })],
    ];
    const decision = decide(tiers, { explain: true, request: { tools: [{ name: "f", description: "" }] } });
    const rows = decision.explanation?.map(({ view, tier, filter, chosen }) => [
      view.model.name,
      tier,
      filter,
      chosen,
    ]);
    expect(rows).to.deep.equal([
      ["best", "tier 0", undefined, true],
      ["blind", "tier 0", "tools", false],
      ["below", "tier 1", "breaker", false],
    ]);
  });

  it("has parts that add up to the utility", () => {
    const failed = viewOf("failed", {}, { providers: ["p"] });
    const view = viewOf("m", { headroomRatio: 0.1, successDeviation: 0.05 }, { providers: ["p"] });
    const decision = decide([[view]], {
      explain: true,
      history: historyAfter(failed),
      random: seededRandom(5),
      promptTokens: 99_990,
      request: { sampling: { maxOutputTokens: 20 } },
    });
    const score = decision.explanation?.[0]?.score;
    expect(score?.crowding).to.be.above(0);
    expect(score?.clipLoss).to.be.above(0);
    expect(score?.sameProviderPenalty).to.equal(0.05);
    if (score === undefined) return;
    const { successRatio, value, crowding, clipLoss, sameProviderPenalty, utility } = score;
    const sum = successRatio * value - (1 - successRatio) * 0.1 - crowding - clipLoss - sameProviderPenalty;
    expect(utility).to.be.closeTo(sum, 1e-12);
    expect(value).to.be.closeTo(0.4 * score.quality + 0.3 * score.speedValue + 0.3 * score.costValue, 1e-12);
  });

  it("is not made unless asked for", () => {
    expect(decide([[viewOf("m")]])).to.deep.include({ kind: "chosen", explanation: undefined });
  });
});
