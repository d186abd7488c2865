import { expect } from "chai";
import type { GenerationRequest } from "../../../src/domain/request.ts";
import { driveRequest, driveWell } from "../../router/drive-request.ts";
import { RouterBench } from "../../support/router-bench.ts";
import { sampleModel } from "../../support/sample-catalog.ts";

const price = (nanoUsd: number) => ({ inputNanoUsd: nanoUsd, outputNanoUsd: nanoUsd });

/** Families of the seed, by what their tiers say. */
function makeBench(): RouterBench {
  const models = [
    sampleModel("glm-4.6-flash", {
      tiers: { speed: 1, quality: 2, cost: 1 },
      price: price(2e8),
      taskSuitability: { code_generation: 0.6, summarization: 0.9 },
    }),
    sampleModel("glm-4.6", {
      tiers: { quality: 3 },
      price: price(2e9),
      taskSuitability: { code_generation: 0.7 },
    }),
    sampleModel("glm-4.6-air", {
      tiers: { speed: 4, quality: 5, cost: 4 },
      price: price(6e9),
      taskSuitability: { code_generation: 0.95, reasoning: 0.95 },
    }),
    sampleModel("glm-4.6-long", {
      tiers: { speed: 4, cost: 4 },
      price: price(4e9),
      capabilities: { contextWindowTokens: 1_000_000, longContext: true },
    }),
    sampleModel("glm-4.6-vision", { tiers: { cost: 4 }, price: price(4e9), capabilities: { vision: true } }),
  ];
  const defaults = { target: "auto", strategy: "single", taskType: undefined } as const;
  return new RouterBench(models, { targets: { defaults }, routing: { breaker: { kind: "adaptive" } } });
}

/** Lets models answer as fast as they are, so that speed is known. */
async function measure(bench: RouterBench): Promise<void> {
  const delaysMs = {
    "glm-4.6-flash": 150,
    "glm-4.6": 600,
    "glm-4.6-air": 2_000,
    "glm-4.6-long": 2_000,
    "glm-4.6-vision": 900,
  };
  for (const [model, delayMs] of Object.entries(delaysMs)) {
    for (let answer = 0; answer < 20; answer++) {
      bench.route({ target: { kind: "model", model } });
      await bench.clock.advance(delayMs);
      bench.provider(`${model}-provider`).last.text("x");
      bench.provider(`${model}-provider`).last.complete();
    }
  }
}

async function choose(bench: RouterBench, request: Partial<GenerationRequest>): Promise<string | undefined> {
  const taken = await driveWell(bench, request, 20);
  const counts = new Map<string, number>();
  for (const model of taken) counts.set(model, (counts.get(model) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0];
}

describe("seed 000, Intelligent Selection, walked", () => {
  for (const [priority, use, model] of [
    ["speed", "real-time applications, chatbots, and interactive systems", "glm-4.6-flash"],
    ["quality", "complex reasoning, code generation, and critical tasks", "glm-4.6-air"],
    ["cost", "batch processing and cost-sensitive applications", "glm-4.6-flash"],
  ] as const) {
    it(`Priority-Based Routing, ${priority}: "For ${use}"`, async () => {
      const bench = makeBench();
      await measure(bench);
      expect(await choose(bench, { priority, taskType: "code_generation" })).to.equal(model);
    });
  }

  it('Task-Based Selection: "Optimizes model choice based on task type"', async () => {
    const bench = makeBench();
    await measure(bench);
    const priority = "quality";
    expect(await choose(bench, { priority, taskType: "reasoning" })).to.equal("glm-4.6-air");
    expect(await choose(bench, { priority, taskType: "summarization" })).to.equal("glm-4.6-flash");
  });

  it('Requirement Filtering: "Ensures selected models meet specific requirements"', async () => {
    const plain = { vision: false, tools: false, jsonOutput: false, longContext: false };
    expect(await driveWell(makeBench(), { requirements: { ...plain, longContext: true } }, 3)).to.deep.equal(
      Array.from({ length: 3 }, () => "glm-4.6-long"),
    );
    expect(await driveWell(makeBench(), { taskType: "vision_analysis" }, 3)).to.deep.equal(
      Array.from({ length: 3 }, () => "glm-4.6-vision"),
    );
  });

  it('Specific Model Selection: "Choose a specific model when needed" — and no other one answers for it', async () => {
    const request = { target: { kind: "model", model: "glm-4.6-vision" } } as const;
    const { models, consumer } = await driveRequest(makeBench(), request, () => "server_error");
    expect(models).to.deep.equal(["glm-4.6-vision"]);
    expect(consumer.error?.reason).to.equal("UPSTREAM_ERROR");
  });
});

describe("seed 000, Robust Error Handling, walked", () => {
  it('Graceful Fallback: "Automatically switches to alternative models on failures"', async () => {
    let failureCount = 0;
    const { models, consumer } = await driveRequest(makeBench(), {}, () => {
      failureCount += 1;
      return failureCount < 3 ? "server_error" : "answers";
    });
    expect(new Set(models).size).to.equal(3);
    expect(consumer.result?.deployment.model).to.equal(models[2]);
  });

  it('Circuit Breaking: "Temporarily avoids models with consecutive failures"', async () => {
    const bench = makeBench();
    await measure(bench);
    const request = { priority: "cost" } as const;
    const flashFails = (model: string) => (model === "glm-4.6-flash" ? "server_error" : "answers");
    for (let failure = 0; failure < 6; failure++) await driveRequest(bench, request, flashFails);
    expect(await driveWell(bench, request, 10)).to.not.include("glm-4.6-flash");
    await bench.clock.advance(2_000);
    await driveWell(bench, request, 10);
    await bench.clock.advance(12_000);
    expect(await choose(bench, request)).to.equal("glm-4.6-flash");
  });

  it('Automatic Retries: "Configurable retry logic with exponential backoff"', async () => {
    const retry = {
      maxRetries: 2,
      baseDelayMs: 1_000,
      maxDelayMs: 30_000,
      multiplier: 2,
      jitterRatio: 0,
      retryClasses: new Set(["server_error"] as const),
    };
    const bench = new RouterBench([sampleModel("glm-4.6")], { routing: { retry } });
    const { atMs } = await driveRequest(bench, {}, () => "server_error");
    expect(atMs).to.deep.equal([0, 1_000, 3_000]);
  });
});
