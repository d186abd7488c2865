import { expect } from "chai";
import fc from "fast-check";
import type { CandidateTier } from "../../../src/core/candidate-set.ts";
import type { CandidateView } from "../../../src/core/choice/candidate-view.ts";
import type { Pool } from "../../../src/domain/targets.ts";
import { Incumbents } from "../../../src/policies/rotation/incumbents.ts";
import { RotationKeeper } from "../../../src/policies/rotation/rotation-keeper.ts";
import { samplePool } from "../core/candidates/sample-targets.ts";
import { viewOf } from "../core/choice/choice-bench.ts";

const ROTATIONS = ["round_robin", "least_recently_used", "weighted", "fastest"] as const;

function viewsOf(...names: readonly string[]): readonly CandidateView[] {
  return names.map((name) => viewOf(name));
}

function tierOf(
  views: readonly CandidateView[],
  rotation: CandidateTier["rotation"],
  name = "pool p",
): CandidateTier {
  return { name, deployments: views.map((view) => view.deployment), rotation, settings: {}, scopes: [name] };
}

function keeperOf(views: readonly CandidateView[], weights: Pool["weights"] = {}): RotationKeeper {
  return new RotationKeeper(configOf(views, weights));
}

function configOf(views: readonly CandidateView[], weights: Pool["weights"] = {}) {
  return {
    pools: [samplePool("p", [], { weights, rotation: "weighted" })],
    deployments: views.map((view) => view.deployment),
  };
}

/** Takes once; answers the model's name. */
function take(
  keeper: RotationKeeper,
  tier: CandidateTier,
  usable: readonly CandidateView[],
  nowMs = 0,
): string {
  return usable[keeper.take(tier, usable, nowMs)]?.model.name ?? "none";
}

function takeMany(
  keeper: RotationKeeper,
  tier: CandidateTier,
  usable: readonly CandidateView[],
  count: number,
): string {
  return Array.from({ length: count }, () => take(keeper, tier, usable)).join("");
}

function countOf(text: string, letter: string): number {
  return text.split(letter).length - 1;
}

describe("taking turns", () => {
  const views = viewsOf("a", "b", "c");
  const tier = tierOf(views, "round_robin");

  it("takes each once in a round, in the operator's order", () => {
    expect(takeMany(keeperOf(views), tier, views, 7)).to.equal("abcabca");
  });

  it("gives the turn of one that cannot serve to the next, and goes on from there when it can again", () => {
    const keeper = keeperOf(views);
    const without = views.filter((view) => view.model.name !== "b");
    expect(take(keeper, tier, views)).to.equal("a");
    expect(takeMany(keeper, tier, without, 3)).to.equal("cac");
    expect(takeMany(keeper, tier, views, 3)).to.equal("abc");
  });

  it("is fair among any usable ones: in n decisions in a row each once", () => {
    fc.assert(
      fc.property(fc.subarray([0, 1, 2, 3, 4, 5], { minLength: 1 }), fc.nat(20), (places, before) => {
        const all = viewsOf("a", "b", "c", "d", "e", "f");
        const whole = tierOf(all, "round_robin");
        const keeper = keeperOf(all);
        takeMany(keeper, whole, all, before);
        const usable = all.filter((_, index) => places.includes(index));
        const taken = takeMany(keeper, whole, usable, usable.length);
        expect(new Set(taken).size).to.equal(usable.length);
      }),
    );
  });

  it("goes on where it was after a new configuration that adds and removes", () => {
    const keeper = keeperOf(views);
    takeMany(keeper, tier, views, 2);
    const next = viewsOf("a", "c", "d");
    keeper.configure(configOf(next));
    expect(takeMany(keeper, tierOf(next, "round_robin"), next, 4)).to.equal("cdac");
  });

  it("is counted for each tier by itself", () => {
    const keeper = keeperOf(views);
    takeMany(keeper, tier, views, 2);
    expect(take(keeper, tierOf(views, "round_robin", "g.echelon1"), views)).to.equal("a");
  });
});

describe("the least recently used", () => {
  const views = viewsOf("a", "b", "c");
  const tier = tierOf(views, "least_recently_used");

  it("comes first, the never used before it", () => {
    const keeper = keeperOf(views);
    expect(takeMany(keeper, tier, views, 6)).to.equal("abcabc");
  });

  it("counts what other tiers and other choices used", () => {
    const keeper = keeperOf(views);
    keeper.noteUse(views[0]?.deployment.id ?? "");
    expect(take(keeper, tier, views)).to.equal("b");
    expect(take(keeper, tierOf(views, "least_recently_used", "other"), views)).to.equal("c");
    expect(take(keeper, tier, views)).to.equal("a");
  });

  it("catches up on one that was away, and remembers uses over a new configuration", () => {
    const keeper = keeperOf(views);
    takeMany(keeper, tier, views.slice(0, 2), 5);
    keeper.configure(configOf(views));
    expect(takeMany(keeper, tier, views, 3)).to.equal("cba");
  });
});

describe("taking by weight", () => {
  const views = viewsOf("a", "b", "c");
  const tier = tierOf(views, "weighted");

  it("spreads the turns evenly in proportion to the weights, by model or by deployment", () => {
    const keeper = keeperOf(views, { a: 5, "b-provider/b": 1 });
    expect(takeMany(keeper, tier, views, 14)).to.equal("aabacaaaabacaa");
  });

  it("takes each exactly as often as its weight in every run of their sum", () => {
    const weight = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(weight, weight, weight, fc.nat(3), (a, b, c, roundCount) => {
        const keeper = keeperOf(views, { a, b, c });
        const sum = a + b + c;
        takeMany(keeper, tier, views, sum * roundCount);
        const taken = takeMany(keeper, tier, views, sum);
        expect([countOf(taken, "a"), countOf(taken, "b"), countOf(taken, "c")]).to.deep.equal([a, b, c]);
      }),
    );
  });

  it("takes one of weight 0 only when nothing else is left", () => {
    const keeper = keeperOf(views, { a: 0 });
    expect(takeMany(keeper, tier, views, 10)).to.not.include("a");
    expect(take(keeper, tier, views.slice(0, 1))).to.equal("a");
  });

  it("takes new weights over without a restart", () => {
    const keeper = keeperOf(views, { a: 8, b: 1, c: 1 });
    takeMany(keeper, tier, views, 10);
    keeper.configure(configOf(views, { a: 1, b: 1, c: 8 }));
    expect(countOf(takeMany(keeper, tier, views, 10), "c")).to.equal(8);
  });

  it("does not confuse a deployment with a property that every object has", () => {
    const odd = viewsOf("constructor", "b");
    expect(take(keeperOf(odd), tierOf(odd, "weighted"), odd)).to.equal("constructor");
  });
});

describe("the fastest", () => {
  const views = viewsOf("a", "b", "c");
  const tier = tierOf(views, "fastest");
  const idOf = (place: number) => views[place]?.deployment.id ?? "";

  it("is the smallest last time; one never measured comes before it", () => {
    const keeper = keeperOf(views);
    keeper.noteAnswer(idOf(0), 300);
    keeper.noteAnswer(idOf(1), 200);
    expect(take(keeper, tier, views, 0)).to.equal("c");
    keeper.noteAnswer(idOf(2), 900);
    expect(take(keeper, tier, views, 60_000)).to.equal("b");
    keeper.noteAnswer(idOf(1), 5_000);
    expect(take(keeper, tier, views, 120_000)).to.equal("a");
  });

  it("stays for 60 s, then the times are compared again", () => {
    const keeper = keeperOf(views);
    for (const place of [0, 1, 2]) keeper.noteAnswer(idOf(place), 100 * (place + 1));
    expect(take(keeper, tier, views, 1_000)).to.equal("a");
    keeper.noteAnswer(idOf(0), 9_000);
    expect(take(keeper, tier, views, 60_999)).to.equal("a");
    expect(take(keeper, tier, views, 61_000)).to.equal("b");
  });

  it("gives way at once when it cannot serve", () => {
    const keeper = keeperOf(views);
    for (const place of [0, 1, 2]) keeper.noteAnswer(idOf(place), 100 * (place + 1));
    expect(take(keeper, tier, views, 0)).to.equal("a");
    expect(take(keeper, tier, views.slice(1), 1)).to.equal("b");
  });
});

describe("every strict order", () => {
  for (const rotation of ROTATIONS) {
    it(`answers a place among the usable for any of them (${rotation})`, () => {
      const all = viewsOf("a", "b", "c", "d");
      const turn = fc.record({ places: fc.subarray([0, 1, 2, 3], { minLength: 1 }), nowMs: fc.nat(200_000) });
      fc.assert(
        fc.property(fc.array(turn, { maxLength: 30 }), (turns) => {
          const keeper = keeperOf(all);
          for (const { places, nowMs } of turns) {
            const usable = all.filter((_, index) => places.includes(index));
            expect(keeper.take(tierOf(all, rotation), usable, nowMs)).to.be.within(0, usable.length - 1);
          }
        }),
      );
    });
  }
});

describe("the incumbents", () => {
  it("are remembered by target and priority", () => {
    const incumbents = new Incumbents();
    incumbents.remember("auto", "speed", "p/a");
    expect([
      incumbents.find("auto", "speed"),
      incumbents.find("auto", "cost"),
      incumbents.find("g", "speed"),
    ]).to.deep.equal(["p/a", undefined, undefined]);
    incumbents.clear();
    expect(incumbents.find("auto", "speed")).to.equal(undefined);
  });
});
