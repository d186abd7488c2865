import { expect } from "chai";
import type { RouteDecision } from "../../src/domain/attempt.ts";
import { type BenchChanges, RouterBench } from "../support/router-bench.ts";
import { sampleModel, sampleRequest } from "../support/sample-catalog.ts";
import { sampleGroup, samplePool } from "../unit/core/candidates/sample-targets.ts";
import { driveRequest, driveWell } from "./drive-request.ts";

const PRICE = { inputNanoUsd: 1_000_000, outputNanoUsd: 1_000_000 };

function makeBench(changes: BenchChanges = {}): RouterBench {
  return new RouterBench(
    [
      sampleModel("plain", { price: PRICE }),
      sampleModel("seeing", { price: PRICE, capabilities: { vision: true } }),
      sampleModel("small", { capabilities: { contextWindowTokens: 1 } }),
    ],
    changes,
  );
}

const PLAIN = { vision: false, tools: false, jsonOutput: false, longContext: false };

function listRemoved({ candidates }: RouteDecision): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(candidates.map(({ deployment, removedBy }) => [deployment.model, removedBy]));
}

describe("the trace of decisions on an answer", () => {
  it("says for each attempt who was chosen, who could have been, and what removed the others", async () => {
    const { consumer } = await driveRequest(makeBench(), { explain: true }, (model) =>
      model === "plain" ? "server_error" : "answers",
    );
    const decisions = consumer.result?.decisions ?? [];
    expect(
      decisions.map(({ attemptNumber, candidates }) => [attemptNumber, candidates[0]?.deployment.model]),
    ).to.deep.equal([
      [1, "plain"],
      [2, "seeing"],
    ]);
    expect(decisions.map(listRemoved)).to.deep.equal([
      { plain: undefined, seeing: undefined, small: "prompt_length" },
      { plain: "tried", seeing: undefined, small: "prompt_length" },
    ]);
    for (const { candidates } of decisions) {
      expect(candidates.map(({ chosen }) => chosen)).to.deep.equal([true, false, false]);
      for (const { removedBy, score } of candidates)
        expect(score === undefined).to.equal(removedBy !== undefined);
    }
  });

  it("is empty where nobody asked for it", async () => {
    const { consumer } = await driveRequest(makeBench(), {}, () => "answers");
    expect(consumer.result?.decisions).to.deep.equal([]);
  });

  it("has one decision for each attempt, also where a delay lies between them", async () => {
    const groups = [sampleGroup("slow", [["plain"], ["seeing"]], { fallback: { retryDelayMs: 300 } })];
    const { consumer } = await driveRequest(
      makeBench({ targets: { groups } }),
      { explain: true, target: { kind: "named", name: "slow" } },
      (model) => (model === "plain" ? "server_error" : "answers"),
    );
    expect(consumer.result?.decisions.map(({ attemptNumber }) => attemptNumber)).to.deep.equal([1, 2]);
  });
});

describe("what is given up when nobody is left", () => {
  const relaxed = async (bench: RouterBench, requirements: object) => {
    const { consumer } = await driveRequest(
      bench,
      { explain: true, requirements: { ...PLAIN, ...requirements } },
      () => "answers",
    );
    return consumer.result?.decisions[0]?.relaxed ?? consumer.error?.reason;
  };

  it("is first the success ratio, then the latency, never the cost or a capability", async () => {
    const bench = makeBench();
    expect(await relaxed(bench, {})).to.deep.equal([]);
    expect(await relaxed(bench, { minSuccessRatio: 1 })).to.deep.equal(["min_success"]);
    expect(await relaxed(bench, { maxLatencyMs: 1 })).to.deep.equal(["max_latency"]);
    expect(await relaxed(bench, { minSuccessRatio: 1, maxLatencyMs: 1 })).to.deep.equal(["max_latency"]);
    expect(await relaxed(bench, { maxCostNanoUsd: 1 })).to.equal("NO_MODEL_MEETS_REQUIREMENTS");
    expect(await relaxed(bench, { vision: true, minSuccessRatio: 1 })).to.deep.equal(["min_success"]);
  });

  it("is last of all an open breaker, for one probe, at most once a second", async () => {
    const bench = new RouterBench([sampleModel("a")], {
      routing: {
        breaker: { kind: "counting", failureThreshold: 1, recoveryTimeMs: 60_000, halfOpenRequests: 1 },
      },
    });
    await driveRequest(bench, {}, () => "server_error");
    expect((await driveRequest(bench, {}, () => "answers")).consumer.error?.reason).to.equal(
      "NO_DEPLOYMENT_AVAILABLE",
    );
    await bench.clock.advance(1_000);
    const { consumer } = await driveRequest(bench, { explain: true }, () => "answers");
    expect(consumer.result?.decisions[0]?.relaxed).to.deep.equal(["breaker"]);
    expect(bench.routing.metrics.snapshot([]).models[0]?.deployments[0]?.breakerState).to.equal("closed");
  });
});

describe("advice without an attempt", () => {
  it("explains a route as it would be decided, and takes no turn by it", async () => {
    const pools = [samplePool("pool", ["plain", "seeing"])];
    const bench = makeBench({ targets: { pools } });
    const request = sampleRequest({ target: { kind: "named", name: "pool" } });
    for (let look = 0; look < 3; look++) {
      const explanation = bench.routing.advisor.explain(request);
      if (explanation.kind === "failed") throw new Error("the pool is not known");
      expect(explanation.error).to.equal(undefined);
      expect(explanation.decision.target).to.equal("pool");
    }
    expect(await driveWell(bench, { target: { kind: "named", name: "pool" } }, 3)).to.deep.equal([
      "plain",
      "seeing",
      "plain",
    ]);
    expect(bench.requests.startedCount).to.equal(3);
  });

  it("explains why nobody could serve, with the error that a caller would get", () => {
    const requirements = { ...PLAIN, vision: true, maxCostNanoUsd: 1 };
    const explanation = makeBench().routing.advisor.explain(sampleRequest({ requirements }));
    if (explanation.kind === "failed") throw new Error("the target is not known");
    expect(listRemoved(explanation.decision)).to.deep.equal({
      plain: "vision",
      seeing: "max_cost",
      small: "vision",
    });
    expect(explanation.decision.attemptNumber).to.equal(0);
    expect(explanation.error?.reason).to.equal("NO_MODEL_MEETS_REQUIREMENTS");
  });

  it("refuses an unknown target", () => {
    const explanation = makeBench().routing.advisor.explain(
      sampleRequest({ target: { kind: "model", model: "none" } }),
    );
    expect(explanation.kind === "failed" && explanation.error.reason).to.equal("MODEL_NOT_FOUND");
  });

  it("recommends every model that could serve, the best first", () => {
    const bench = new RouterBench([
      sampleModel("fair", { tiers: { quality: 2 }, providers: ["p", "q"] }),
      sampleModel("fine", { tiers: { quality: 5 } }),
      sampleModel("blind", { capabilities: { contextWindowTokens: 1 } }),
    ]);
    const recommended = bench.routing.advisor.recommend(sampleRequest({ priority: "quality" }));
    expect(recommended.map(({ deployment }) => deployment.model)).to.deep.equal(["fine", "fair"]);
    const [best = 0, second = 0] = recommended.map(({ score }) => score.score);
    expect(best).to.be.above(second);
  });
});
