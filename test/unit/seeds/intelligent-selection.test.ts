import { expect } from "chai";
import type { CandidateView } from "../../../src/core/choice/candidate-view.ts";
import { classifyText } from "../../../src/core/tasks/classify-task.ts";
import type { Model } from "../../../src/domain/deployment.ts";
import type { Priority } from "../../../src/domain/request.ts";
import { sampleModel, sampleRequest } from "../../support/sample-catalog.ts";
import { sampleTargets } from "../core/candidates/sample-targets.ts";
import { countChoices, decide, type InputOptions, nameChoice, viewOf } from "../core/choice/choice-bench.ts";
import { RouteWalk } from "./route-walk.ts";

const price = (nanoUsd: number) => ({ inputNanoUsd: nanoUsd, outputNanoUsd: nanoUsd });

/** The five families of the seed, as their tiers describe them. */
const FAMILIES = {
  flash: viewOf(
    "glm-4.6-flash",
    { ttftMeanMs: 200, tpotMs: 5 },
    {
      tiers: { quality: 2 },
      price: price(2e8),
      taskSuitability: { code_generation: 0.6, summarization: 0.8 },
    },
  ),
  standard: viewOf(
    "glm-4.6",
    { ttftMeanMs: 500, tpotMs: 12 },
    {
      tiers: { quality: 3 },
      price: price(6e8),
      taskSuitability: { code_generation: 0.8, summarization: 0.85 },
    },
  ),
  air: viewOf(
    "glm-4.6-air",
    { ttftMeanMs: 1_500, tpotMs: 35 },
    { tiers: { quality: 5 }, price: price(3e9), taskSuitability: { code_generation: 0.9, reasoning: 0.95 } },
  ),
  long: viewOf(
    "glm-4.6-long",
    { ttftMeanMs: 1_500, tpotMs: 25 },
    {
      tiers: { quality: 3 },
      price: price(2e9),
      capabilities: { contextWindowTokens: 1_000_000, longContext: true },
      taskSuitability: { long_context: 1 },
    },
  ),
  vision: viewOf(
    "glm-4.6-vision",
    { ttftMeanMs: 900, tpotMs: 20 },
    {
      tiers: { quality: 3 },
      price: price(2e9),
      capabilities: { vision: true },
      taskSuitability: { vision_analysis: 1 },
    },
  ),
};

const ALL = [Object.values(FAMILIES)];
const choose = (options: InputOptions) => nameChoice(decide(ALL, options));

describe("seed 000, Intelligent Selection", () => {
  for (const [priority, use, model] of [
    ["speed", "real-time applications, chatbots, and interactive systems", "glm-4.6-flash"],
    ["quality", "complex reasoning, code generation, and critical tasks", "glm-4.6-air"],
    ["cost", "batch processing and cost-sensitive applications", "glm-4.6-flash"],
  ] as const) {
    it(`Priority-Based Routing, ${priority}: "For ${use}"`, () => {
      expect(choose({ request: { priority, taskType: "code_generation" } })).to.equal(model);
    });
  }

  it('balanced: "For general use with good trade-offs" — weighs speed, quality and cost, unlike the seed\'s code', () => {
    const { standard } = FAMILIES;
    const scoreOf = (view: CandidateView) =>
      decide([[view]], { explain: true }).explanation?.[0]?.score?.utility ?? 0;
    const withModel = (changes: Partial<Model>) =>
      scoreOf({ ...standard, model: { ...standard.model, ...changes } });
    const usual = scoreOf(standard);
    expect(scoreOf({ ...standard, tpotMs: 100 })).to.be.below(usual);
    expect(withModel({ price: price(1e10) })).to.be.below(usual);
    expect(withModel({ tiers: { speed: 3, quality: 5, cost: 3 } })).to.be.above(usual);
  });

  it('Task-Based Selection: "Optimizes model choice based on task type"', () => {
    const coder = sampleModel("coder", { taskSuitability: { code_generation: 1 } });
    const writer = sampleModel("writer", { taskSuitability: { text_generation: 1 } });
    const catalog = sampleTargets([coder, writer]);
    const walk = (taskType: "code_generation" | "text_generation") =>
      new RouteWalk(catalog, "auto", { request: { taskType } }).succeed(1);
    expect([walk("code_generation"), walk("text_generation")]).to.deep.equal([["coder"], ["writer"]]);
  });

  it('Requirement Filtering: "Ensures selected models meet specific requirements"', () => {
    const requirements = {
      vision: false,
      tools: false,
      jsonOutput: false,
      longContext: true,
      contextTokens: 100_000,
    };
    const request = { taskType: "long_context" as const, requirements };
    const limits = { maxLatencyMs: 60_000, minSuccessRatio: 0.95 };
    expect(choose({ request, limits })).to.equal("glm-4.6-long");
    const image = {
      kind: "image" as const,
      source: { kind: "url" as const, url: "https://example.com/a.png" },
    };
    expect(choose({ request: { messages: [{ role: "user", parts: [image] }] } })).to.equal("glm-4.6-vision");
  });

  it("a requirement is never dropped because nothing was measured: a text model cannot win a vision request", () => {
    const requirements = { vision: true, tools: false, jsonOutput: false, longContext: false };
    const decision = decide([[FAMILIES.flash, FAMILIES.air]], { request: { requirements } });
    expect(nameChoice(decision)).to.equal("none: requirements");
  });

  it("a model that was never used passes min_success_rate: selection does not lock onto the first success", () => {
    const limits = { minSuccessRatio: 0.95 };
    const fresh = viewOf("fresh", { lastSampleAgeMs: Number.POSITIVE_INFINITY, successDeviation: 0.015 });
    const counts = countChoices([[fresh, viewOf("used", { successDeviation: 0.005 })]], { limits }, 500);
    expect(counts.get("fresh")).to.be.above(50);
    expect(counts.get("used")).to.be.above(50);
  });
});

describe("seed 000, Adaptive Routing", () => {
  it('"Poorly performing models are automatically avoided"', () => {
    const views = [viewOf("poor", { successMean: 0.6 }), viewOf("sound")];
    expect(countChoices([views], {}, 200)).to.deep.equal(new Map([["sound", 200]]));
  });

  it('"Health scores influence selection decisions" — but an idle model is not punished for being idle', () => {
    const idle = viewOf("idle", { lastSampleAgeMs: 12 * 3_600_000 });
    const counts = countChoices([[idle, viewOf("busy")]], {}, 1_000);
    expect(counts.get("idle")).to.be.above(400);
  });

  it('"Consecutive failures trigger temporary model exclusion" — temporary: it comes back by a probe', () => {
    const catalog = sampleTargets(["a", "b"]);
    const walk = new RouteWalk(catalog, "auto");
    walk.change("a", { breaker: "open", successMean: 0.1 });
    expect(walk.succeed(20)).to.not.include("a");
    walk.change("a", { breaker: "half_open" });
    expect(walk.succeed(1)).to.deep.equal(["a"]);
  });

  it('Graceful Fallback: "Automatically switches to alternative models on failures"', () => {
    const tried = new RouteWalk(sampleTargets(["a", "b", "c"]), "auto").failAll(3);
    expect(tried.toSorted()).to.deep.equal(["a", "b", "c"]);
  });

  it('Specific Model Selection: "Choose a specific model when needed"', () => {
    expect(new RouteWalk(sampleTargets(["a", "b"]), "b").failAll(3)).to.deep.equal(["b"]);
  });
});

describe("seed 000, Task Classification", () => {
  for (const [text, task] of [
    ["Write some code for a program", "code_generation"],
    ["Explain why and how this is so", "reasoning"],
    ["Give me a brief summary", "summarization"],
    ["Hello, world!", "text_generation"],
  ] as const) {
    it(`classify_request(${JSON.stringify(text)}) is ${task}`, () => {
      expect(classifyText(text)).to.equal(task);
    });
  }
});

describe("seed 000, Model Recommendations", () => {
  it("get_model_recommendations(task_type, priority) — every model with its score, comparable by it", () => {
    const priority: Priority = "quality";
    const request = sampleRequest({ priority, taskType: "reasoning" });
    const ranked = decide(ALL, { request, explain: true })
      .explanation?.toSorted((a, b) => (b.score?.utility ?? 0) - (a.score?.utility ?? 0))
      .map(({ view }) => view.model.name);
    expect(ranked).to.have.lengthOf(5);
    expect(ranked?.[0]).to.equal("glm-4.6-air");
  });
});
