import { expect } from "chai";
import fc from "fast-check";
import type { CandidateSet } from "../../../../src/core/candidate-set.ts";
import { resolveTarget } from "../../../../src/core/candidates/resolve-target.ts";
import { listScopeMembers } from "../../../../src/core/candidates/scope-members.ts";
import type { TargetCatalog } from "../../../../src/core/candidates/target-catalog.ts";
import { type TargetFailure, targetError } from "../../../../src/core/candidates/target-failure.ts";
import type { BreakerPreset } from "../../../../src/domain/targets.ts";
import { sampleModel } from "../../../support/sample-catalog.ts";
import { sampleAlias, sampleChain, sampleGroup, samplePool, sampleTargets } from "./sample-targets.ts";

function resolve(name: string, catalog: TargetCatalog): CandidateSet {
  const resolution = resolveTarget(name, catalog);
  if (resolution.kind === "failed") throw new Error(JSON.stringify(resolution.failure));
  return resolution.set;
}

function failureOf(name: string, catalog: TargetCatalog): TargetFailure {
  const resolution = resolveTarget(name, catalog);
  if (resolution.kind === "resolved") throw new Error(`${name} was resolved`);
  return resolution.failure;
}

/** `tier: model model` for each tier. */
function outline(set: CandidateSet): readonly string[] {
  return set.tiers.map((tier) => `${tier.name}: ${tier.deployments.map(({ model }) => model).join(" ")}`);
}

const two = (name: string) => sampleModel(name, { providers: ["p", "q"] });

describe("the resolution of plain targets", () => {
  const catalog = sampleTargets([two("a"), sampleModel("b", { providers: ["q"] })], {}, ["idle"]);

  it("takes all models in one adaptive tier for auto", () => {
    const set = resolve("auto", catalog);
    expect(outline(set)).to.deep.equal(["auto: a a b"]);
    expect(set).to.deep.include({ target: "auto", fallback: "spill", maxAttempts: undefined, judges: [] });
    expect(set.tiers[0]?.rotation).to.equal("adaptive");
  });

  it("takes a model's deployments, and a provider's", () => {
    expect(resolve("a", catalog).tiers[0]?.deployments.map(({ id }) => id)).to.deep.equal(["p/a", "q/a"]);
    expect(resolve("q", catalog).tiers[0]?.deployments.map(({ id }) => id)).to.deep.equal(["q/a", "q/b"]);
    expect(outline(resolve("q", catalog))).to.deep.equal(["provider q: a b"]);
  });

  it("reads the target of a request: its model, the configured default, or auto", () => {
    expect(resolveTarget({ kind: "model", model: "b" }, catalog)).to.have.nested.property("set.target", "b");
    expect(resolveTarget({ kind: "named", name: "q" }, catalog)).to.have.nested.property("set.target", "q");
    expect(resolveTarget({ kind: "automatic" }, catalog)).to.have.nested.property("set.target", "auto");
    const defaults = { target: "a", strategy: "single" as const, taskType: undefined };
    const other = sampleTargets(["a"], { defaults });
    expect(resolveTarget({ kind: "automatic" }, other)).to.have.nested.property("set.target", "a");
  });

  it("says that a provider without models stands for nothing", () => {
    expect(failureOf("idle", catalog)).to.deep.equal({ kind: "empty_target", name: "idle" });
  });

  it("names the names that an unknown one may have been meant to be", () => {
    const named = sampleTargets(["glm-4.6", "glm-4.6-flash"], {
      groups: [sampleGroup("fast_group", [["glm-4.6"]])],
    });
    expect(failureOf("glm-46-flsh", named)).to.deep.include({ near: ["glm-4.6-flash"] });
    expect(failureOf("fast-group.echelon", named))
      .to.have.property("near")
      .that.includes("fast_group.echelon1");
    expect(failureOf("x".repeat(10_000), named)).to.deep.include({ near: [] });
  });
});

describe("the resolution of groups", () => {
  const breaker: BreakerPreset = {
    kind: "counting",
    failureThreshold: 5,
    recoveryTimeMs: 60_000,
    halfOpenRequests: 1,
  };
  const groupOf = (fallback: Parameters<typeof sampleGroup>[2]) =>
    sampleTargets(["a", "b", "c", "x", "y"], {
      groups: [sampleGroup("g", [["a", "b"], ["c"]], fallback), sampleGroup("h", [["x"], ["y", "a"]])],
    });

  it("takes the echelons in order of priority, whatever their order in the file, each with its settings", () => {
    const settings = {
      timeoutMs: 30_000,
      maxRetries: 3,
      temperature: 0.7,
      maxOutputTokens: 2_000,
      rpmLimit: 100,
    };
    const echelons = [
      { name: "late", priority: 2, models: ["b"], settings: {} },
      { name: "early", priority: 1, models: ["a"], settings },
    ];
    const group = sampleGroup("g", [], { echelons, rotation: "least_recently_used", fallback: { breaker } });
    const set = resolve("g", sampleTargets(["a", "b"], { groups: [group] }));
    expect(outline(set)).to.deep.equal(["g.early: a", "g.late: b"]);
    expect(set.tiers[0]).to.deep.include({
      settings,
      rotation: "least_recently_used",
      scopes: ["group g", "echelon g.early"],
    });
    expect(set).to.deep.include({ fallback: "next_tier", maxAttempts: 3, retryDelayMs: 1_000, breaker });
  });

  it("goes down its echelons and then to its targets under echelon_down", () => {
    const catalog = groupOf({ fallback: { targets: ["g.echelon2", "h"] } });
    // `a` served in the first tier already.
    expect(outline(resolve("g", catalog))).to.deep.equal([
      "g.echelon1: a b",
      "g.echelon2: c",
      "h.echelon1: x",
      "h.echelon2: y",
    ]);
  });

  it("goes to other groups after the first echelon under task_group_switch, the rest of its own last", () => {
    const catalog = groupOf({ fallback: { strategy: "task_group_switch", targets: ["h.echelon2", "h"] } });
    const set = resolve("g", catalog);
    expect(outline(set)).to.deep.equal([
      "g.echelon1: a b",
      "h.echelon2: y",
      "h.echelon1: x",
      "g.echelon2: c",
    ]);
    expect(set.fallback).to.equal("next_tier");
  });

  it("goes to other providers first under provider_failover", () => {
    expect(resolve("g", groupOf({ fallback: { strategy: "provider_failover" } })).fallback).to.equal(
      "other_provider",
    );
  });

  it("takes a named echelon, then the configured fallbacks, or else the echelons below it", () => {
    expect(outline(resolve("g.echelon1", groupOf({})))).to.deep.equal(["g.echelon1: a b", "g.echelon2: c"]);
    expect(outline(resolve("g.echelon2", groupOf({})))).to.deep.equal(["g.echelon2: c"]);
    const named = groupOf({ fallback: { targets: ["h.echelon1"] } });
    expect(outline(resolve("g.echelon1", named))).to.deep.equal(["g.echelon1: a b", "h.echelon1: x"]);
  });

  it("lets two groups name each other", () => {
    const fallback = (target: string) => ({
      fallback: { strategy: "task_group_switch" as const, targets: [target] },
    });
    const groups = [sampleGroup("g", [["a"]], fallback("h")), sampleGroup("h", [["b"]], fallback("g"))];
    const catalog = sampleTargets(["a", "b"], { groups });
    expect(outline(resolve("g", catalog))).to.deep.equal(["g.echelon1: a", "h.echelon1: b"]);
    expect(outline(resolve("h", catalog))).to.deep.equal(["h.echelon1: b", "g.echelon1: a"]);
  });

  it("finds an echelon of a group whose name has dots", () => {
    const catalog = sampleTargets(["a"], { groups: [sampleGroup("g.1", [["a"]])] });
    expect(outline(resolve("g.1.echelon1", catalog))).to.deep.equal(["g.1.echelon1: a"]);
  });
});

describe("the resolution of pools, chains and aliases", () => {
  it("joins the deployments of a pool's members in one tier, each once", () => {
    const catalog = sampleTargets(["a", "b", "c", "d"], {
      groups: [sampleGroup("g", [["a", "b"], ["c"]])],
      pools: [
        samplePool("pool1", ["g", "d", "a"]),
        samplePool("pool2", ["g.echelon2", "pool1"], {
          rotation: "weighted",
          fallback: { strategy: "simple_retry", maxInstanceAttempts: 4 },
        }),
      ],
    });
    const set = resolve("pool1", catalog);
    expect(outline(set)).to.deep.equal(["pool pool1: a b c d"]);
    expect(set).to.deep.include({ fallback: "spill", maxAttempts: 2 });
    expect(set.tiers[0]).to.deep.include({ rotation: "round_robin", scopes: ["pool pool1"] });
    const other = resolve("pool2", catalog);
    expect(outline(other)).to.deep.equal(["pool pool2: c a b d"]);
    expect(other).to.deep.include({ fallback: "same_deployment", maxAttempts: 4 });
  });

  it("makes a tier of each role of a chain in order; the duplicates judge", () => {
    const roles = { primary: ["a", "b"], duplicate: ["c", "a"], reserve: [], fallback: ["d"] };
    const chain = sampleChain("main", roles, { selection: "fastest", strategy: "best_of_two" });
    const set = resolve("main", sampleTargets(["a", "b", "c", "d"], { chains: [chain] }));
    expect(outline(set)).to.deep.equal([
      "chain main primary: a b",
      "chain main duplicate: c",
      "chain main fallback: d",
    ]);
    expect(set.tiers[0]?.rotation).to.equal("fastest");
    expect(set.strategy).to.equal("best_of_two");
    expect(set.judges.map(({ model }) => model)).to.deep.equal(["c", "a"]);
  });

  it("takes an alias's target with its rules, then its fallbacks", () => {
    const catalog = sampleTargets(["a", "b", "c"], {
      groups: [sampleGroup("g", [["a"]], { fallback: { strategy: "provider_failover", maxAttempts: 5 } })],
      aliases: [sampleAlias("wrapper", "g", "inner"), sampleAlias("inner", "b", "c")],
    });
    const set = resolve("wrapper", catalog);
    expect(outline(set)).to.deep.equal(["g.echelon1: a", "model b: b", "model c: c"]);
    expect(set).to.deep.include({ target: "wrapper", fallback: "other_provider", maxAttempts: 5 });
  });

  it("ends a cycle of aliases or pools as a failure that shows the way", () => {
    const aliases = [sampleAlias("x", "y"), sampleAlias("y", "a", "z"), sampleAlias("z", "x")];
    const catalog = sampleTargets(["a"], {
      aliases,
      pools: [samplePool("p", ["q"]), samplePool("q", ["p"])],
    });
    expect(failureOf("x", catalog)).to.deep.equal({ kind: "cycle", path: ["x", "y", "z", "x"] });
    expect(failureOf("p", catalog)).to.deep.equal({ kind: "cycle", path: ["p", "q", "p"] });
  });

  it("fails, and throws nothing, for any references whatever", () => {
    const names = ["a", "b", "g", "h", "p", "q", "x", "y", "c", "auto", "none", "g.echelon1"];
    const name = fc.constantFrom(...names);
    const list = fc.array(name, { maxLength: 3 });
    const strategy = fc.constantFrom(
      "echelon_down" as const,
      "task_group_switch" as const,
      "provider_failover" as const,
    );
    fc.assert(
      fc.property(
        list,
        list,
        list,
        list,
        list,
        name,
        strategy,
        (one, two_, three, four, five, target, how) => {
          const catalog = sampleTargets([two("a"), "b"], {
            groups: [
              sampleGroup("g", [["a"], one], { fallback: { strategy: how, targets: two_ } }),
              sampleGroup("h", [["b"]], { fallback: { targets: ["g", ...three] } }),
            ],
            pools: [samplePool("p", four), samplePool("q", five)],
            chains: [sampleChain("c", { primary: one, duplicate: ["a"] })],
            aliases: [sampleAlias("x", target, ...three), sampleAlias("y", "x", ...five)],
          });
          for (const asked of names) {
            const resolution = resolveTarget(asked, catalog);
            if (resolution.kind === "failed") {
              expect(targetError(resolution.failure).message).to.be.a("string");
              continue;
            }
            const ids = resolution.set.tiers.flatMap((tier) => tier.deployments.map(({ id }) => id));
            expect(ids).to.have.lengthOf(new Set(ids).size);
            expect(new Set(resolution.set.tiers.map((tier) => tier.name)).size).to.equal(
              resolution.set.tiers.length,
            );
            for (const tier of resolution.set.tiers) expect(tier.deployments).to.not.have.lengthOf(0);
          }
        },
      ),
    );
  });
});

describe("the errors of targets", () => {
  const rows: readonly (readonly [TargetFailure, string, string])[] = [
    [
      { kind: "unknown_target", name: "glm-9", near: ["glm-4"] },
      "MODEL_NOT_FOUND",
      'the catalog has no model or target named "glm-9"; did you mean glm-4?',
    ],
    [
      { kind: "cycle", path: ["x", "y", "x"] },
      "NO_MODEL_MEETS_REQUIREMENTS",
      "the target leads back to itself: x → y → x",
    ],
    [
      { kind: "empty_target", name: "p" },
      "NO_MODEL_MEETS_REQUIREMENTS",
      'the target "p" stands for no deployment',
    ],
  ];
  for (const [failure, reason, message] of rows) {
    it(`say of ${failure.kind}: ${message}`, () => {
      expect(targetError(failure)).to.deep.include({ reason, message });
    });
  }

  it("cut long names", () => {
    const failure: TargetFailure = { kind: "unknown_target", name: "x".repeat(5_000), near: [] };
    expect(targetError(failure).message).to.have.length.below(200);
  });
});

describe("the scopes of statistics", () => {
  it("hold the deployments of every group, echelon, pool, chain, role, model, provider and deployment", () => {
    const catalog = sampleTargets([two("a"), "b"], {
      groups: [sampleGroup("g", [["a"], ["b"]])],
      pools: [samplePool("pool1", ["g.echelon2"])],
      chains: [sampleChain("main", { primary: ["b"] })],
      aliases: [sampleAlias("x", "a")],
    });
    const members = [...listScopeMembers(catalog)].map(([scope, ids]) => `${scope}: ${[...ids].join(" ")}`);
    expect(members).to.deep.equal([
      "model a: p/a q/a",
      "model b: b-provider/b",
      "provider p: p/a",
      "provider q: q/a",
      "provider b-provider: b-provider/b",
      "group g: p/a q/a b-provider/b",
      "pool pool1: b-provider/b",
      "chain main: b-provider/b",
      "echelon g.echelon1: p/a q/a",
      "echelon g.echelon2: b-provider/b",
      "role main primary: b-provider/b",
      "deployment p/a: p/a",
      "deployment q/a: q/a",
      "deployment b-provider/b: b-provider/b",
    ]);
  });

  it("hold every scope that a resolved tier names", () => {
    const catalog = sampleTargets(["a", "b"], {
      groups: [sampleGroup("g", [["a"], ["b"]])],
      pools: [samplePool("p", ["g"])],
      chains: [sampleChain("c", { primary: ["a"], reserve: ["b"] })],
    });
    const members = listScopeMembers(catalog);
    for (const name of ["g", "g.echelon2", "p", "c"]) {
      for (const { scopes } of resolve(name, catalog).tiers) {
        expect(scopes).to.not.have.lengthOf(0);
        for (const scope of scopes) expect(members.has(scope), scope).to.equal(true);
      }
    }
  });
});
