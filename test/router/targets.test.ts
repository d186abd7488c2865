import { expect } from "chai";
import { type BenchChanges, RouterBench } from "../support/router-bench.ts";
import { sampleModel } from "../support/sample-catalog.ts";
import { sampleAlias, sampleChain, sampleGroup } from "../unit/core/candidates/sample-targets.ts";
import { driveRequest, driveWell } from "./drive-request.ts";

const MODELS = [
  sampleModel("a", { providers: ["p"] }),
  sampleModel("b", { providers: ["q"] }),
  sampleModel("c", { providers: ["p", "q"] }),
];

function makeBench(targets: BenchChanges["targets"] = {}): RouterBench {
  return new RouterBench(MODELS, { maxAttempts: 6, ...(targets === undefined ? {} : { targets }) });
}

const named = (name: string) => ({ target: { kind: "named", name } }) as const;
const failing = () => "server_error" as const;

describe("a target", () => {
  it("that is a model stands for all its deployments", async () => {
    const { deployments } = await driveRequest(
      makeBench(),
      { target: { kind: "model", model: "c" } },
      failing,
    );
    expect(deployments.toSorted()).to.deep.equal(["p/c", "q/c"]);
  });

  it("that is a provider stands for what it serves, and nothing else", async () => {
    const { deployments } = await driveRequest(makeBench(), named("q"), failing);
    expect(deployments.toSorted()).to.deep.equal(["q/b", "q/c"]);
  });

  it("that is auto, or none where no default is configured, stands for everything", async () => {
    const defaults = { target: undefined, strategy: "single", taskType: undefined } as const;
    for (const target of [{ kind: "automatic" }, { kind: "named", name: "auto" }] as const) {
      const { deployments } = await driveRequest(makeBench({ defaults }), { target }, failing);
      expect(deployments.toSorted()).to.deep.equal(["p/a", "p/c", "q/b", "q/c"]);
    }
  });

  it("that is an alias stands for its target, and goes on to its fallbacks", async () => {
    const aliases = [sampleAlias("house", "b", "a")];
    const { models } = await driveRequest(makeBench({ aliases }), named("house"), failing);
    expect(models).to.deep.equal(["b", "a"]);
  });

  it("that is an alias of an alias keeps to the order of both", async () => {
    const aliases = [sampleAlias("inner", "b", "a"), sampleAlias("outer", "inner", "c")];
    const { models } = await driveRequest(makeBench({ aliases }), named("outer"), failing);
    expect(models).to.deep.equal(["b", "a", "c", "c"]);
  });

  it("whose deployments come twice tries each once", async () => {
    const groups = [
      sampleGroup("twice", [["a"], ["a", "b"]], { fallback: { retryDelayMs: 0, maxAttempts: 5 } }),
    ];
    const { models } = await driveRequest(makeBench({ groups }), named("twice"), failing);
    expect(models).to.deep.equal(["a", "b"]);
  });
});

describe("the configured defaults", () => {
  it("name the target of requests that name none", async () => {
    const defaults = { target: "b", strategy: "single", taskType: undefined } as const;
    expect(await driveWell(makeBench({ defaults }), {}, 2)).to.deep.equal(["b", "b"]);
  });

  const table: readonly [string, string, "single" | "best_of_two" | undefined, boolean][] = [
    ["the default", "in-order", undefined, true],
    ["the target's own word before the default", "plain", undefined, false],
    ["the request's word before both", "plain", "best_of_two", true],
    ["the request's word before the default", "in-order", "single", false],
  ];
  for (const [title, target, strategy, isDouble] of table) {
    it(`name the strategy: ${title}`, () => {
      const chains = ["in-order", "plain"].map((name) => sampleChain(name, { primary: ["a", "b"] }));
      const bench = makeBench({
        chains: chains.filter(({ name }) => name === "plain"),
        aliases: [sampleAlias("in-order", "q")],
        defaults: { target: "in-order", strategy: "best_of_two", taskType: undefined },
      });
      bench.route({ ...named(target), ...(strategy === undefined ? {} : { strategy }) });
      const asked = [...bench.providers.values()].flatMap(({ attempts }) => attempts);
      expect(asked).to.have.length(isDouble ? 2 : 1);
    });
  }
});

describe("a name that nothing has", () => {
  it("is refused without an attempt, and near names are told", () => {
    const groups = [sampleGroup("fast_group", [["a"]])];
    const bench = makeBench({ groups });
    const { consumer } = bench.route(named("fast_grup"));
    expect(consumer.log).to.deep.equal(["failed MODEL_NOT_FOUND"]);
    expect(consumer.error?.message).to.include("fast_group");
    expect(bench.requests).to.include({ startedCount: 1, failedCount: 1, inFlightCount: 0 });
  });

  it("is refused in an echelon too, with the group's own", () => {
    const bench = makeBench({ groups: [sampleGroup("fast_group", [["a"], ["b"]])] });
    const { error } = bench.route(named("fast_group.echelon9")).consumer;
    expect(error?.reason).to.equal("MODEL_NOT_FOUND");
    expect(error?.message).to.include("fast_group.echelon");
  });

  it("is refused when it is something else than the request says", () => {
    const bench = makeBench({ groups: [sampleGroup("fast_group", [["a"]])] });
    for (const target of [
      { kind: "model", model: "fast_group" },
      { kind: "named", name: "fast_group", as: "pool" },
      { kind: "named", name: "p", as: "group" },
    ] as const) {
      expect(bench.route({ target }).consumer.error?.reason).to.equal("MODEL_NOT_FOUND");
    }
    const { consumer } = bench.route({ target: { kind: "named", name: "fast_group", as: "group" } });
    expect(consumer.log).to.deep.equal(["started p/a"]);
  });
});
