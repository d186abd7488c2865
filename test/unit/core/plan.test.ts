import { expect } from "chai";
import fc from "fast-check";
import { type PlanFilter, planRequest } from "../../../src/core/plan.ts";
import type { GenerationRequest } from "../../../src/domain/request.ts";
import { type ModelChanges, sampleModel, sampleRequest } from "../../support/sample-catalog.ts";

const image = {
  role: "user" as const,
  parts: [{ kind: "image" as const, source: { kind: "url" as const, url: "https://example.com/a.png" } }],
};
const tool = { name: "f", description: "" };

describe("the hard filters of the plan", () => {
  const rows: readonly {
    readonly filter: PlanFilter;
    readonly asks: string;
    readonly request: Partial<GenerationRequest>;
    readonly capabilities: ModelChanges["capabilities"];
  }[] = [
    {
      filter: "vision",
      asks: "an image in a message",
      request: { messages: [image] },
      capabilities: { vision: false },
    },
    {
      filter: "vision",
      asks: "the vision task",
      request: { taskType: "vision_analysis" },
      capabilities: { vision: false },
    },
    {
      filter: "vision",
      asks: "the vision requirement",
      request: { requirements: requiring({ vision: true }) },
      capabilities: { vision: false },
    },
    { filter: "tools", asks: "tools", request: { tools: [tool] }, capabilities: { tools: false } },
    {
      filter: "tools",
      asks: "the tools requirement",
      request: { requirements: requiring({ tools: true }) },
      capabilities: { tools: false },
    },
    {
      filter: "json_object",
      asks: "a JSON object",
      request: { responseFormat: { kind: "json_object" } },
      capabilities: { jsonObject: false },
    },
    {
      filter: "json_object",
      asks: "the JSON requirement",
      request: { requirements: requiring({ jsonOutput: true }) },
      capabilities: { jsonObject: false },
    },
    {
      filter: "json_schema",
      asks: "a JSON schema",
      request: { responseFormat: { kind: "json_schema", name: "n", schema: {}, strict: true } },
      capabilities: { jsonSchema: false },
    },
    {
      filter: "long_context",
      asks: "the long-context task",
      request: { taskType: "long_context" },
      capabilities: { longContext: false },
    },
    {
      filter: "long_context",
      asks: "the long-context requirement",
      request: { requirements: requiring({ longContext: true }) },
      capabilities: { longContext: false },
    },
    {
      filter: "context_window",
      asks: "a larger window",
      request: { requirements: requiring({ contextTokens: 1_001 }) },
      capabilities: { contextWindowTokens: 1_000 },
    },
    {
      filter: "max_output",
      asks: "a longer answer",
      request: { sampling: { maxOutputTokens: 101 } },
      capabilities: { maxOutputTokens: 100 },
    },
  ];
  const able = {
    vision: true,
    tools: true,
    jsonObject: true,
    jsonSchema: true,
    longContext: true,
    contextWindowTokens: 2_000,
    maxOutputTokens: 200,
  };
  for (const { filter, asks, request, capabilities } of rows) {
    it(`${filter} removes a model that cannot serve ${asks}, and keeps one that can`, () => {
      const unable = sampleModel("unable", { capabilities: { ...able, ...capabilities } });
      expect(planRequest(sampleRequest(request), [unable])).to.deep.equal({
        kind: "none_fits",
        removed: [{ model: "unable", filter }],
      });
      const plan = planRequest(sampleRequest(request), [unable, sampleModel("able", { capabilities: able })]);
      expect(planned(plan)).to.deep.equal(["able"]);
    });
  }
});

describe("the order of the plan", () => {
  const models = [
    sampleModel("slow-good", {
      tiers: { speed: 5, quality: 5, cost: 5 },
      taskSuitability: { reasoning: 0.9 },
    }),
    sampleModel("fast-poor", {
      tiers: { speed: 1, quality: 1, cost: 2 },
      taskSuitability: { reasoning: 0.2 },
    }),
    sampleModel("cheap", { tiers: { speed: 1, quality: 2, cost: 1 } }),
  ];
  const rows = [
    { priority: "speed", taskType: undefined, want: ["fast-poor", "cheap", "slow-good"] },
    { priority: "speed", taskType: "reasoning", want: ["cheap", "fast-poor", "slow-good"] },
    { priority: "quality", taskType: undefined, want: ["slow-good", "cheap", "fast-poor"] },
    { priority: "cost", taskType: undefined, want: ["cheap", "fast-poor", "slow-good"] },
    { priority: "balanced", taskType: undefined, want: ["slow-good", "fast-poor", "cheap"] },
    { priority: "balanced", taskType: "reasoning", want: ["slow-good", "cheap", "fast-poor"] },
  ] as const;
  for (const { priority, taskType, want } of rows) {
    it(`${priority} with ${taskType ?? "no task"} is ${want.join(", ")}`, () => {
      const request = sampleRequest({ priority, ...(taskType === undefined ? {} : { taskType }) });
      expect(planned(planRequest(request, models))).to.deep.equal(want);
    });
  }

  it("keeps the deployments of a model together and in their order", () => {
    const model = sampleModel("m", { providers: ["p", "q"] });
    const plan = planRequest(sampleRequest(), [model, sampleModel("n")]);
    expect(plan.kind === "candidates" && plan.deployments.map(({ id }) => id)).to.deep.equal([
      "p/m",
      "q/m",
      "n-provider/n",
    ]);
  });

  it("always orders by the tier of the priority, whatever the catalog (property)", () => {
    const tier = fc.integer({ min: 1, max: 5 });
    const tiers = fc.record({ speed: tier, quality: tier, cost: tier });
    fc.assert(
      fc.property(fc.array(tiers, { minLength: 1, maxLength: 12 }), (catalog) => {
        const made = catalog.map((each, index) => sampleModel(`m${index}`, { tiers: each }));
        const plan = planRequest(sampleRequest({ priority: "quality" }), made);
        const order = planned(plan).map((name) => catalog[Number(name.slice(1))]?.quality ?? 0);
        expect(order).to.deep.equal(order.toSorted((a, b) => b - a));
        expect(order).to.have.length(catalog.length);
      }),
    );
  });
});

function planned(plan: ReturnType<typeof planRequest>): readonly string[] {
  return plan.kind === "candidates" ? plan.deployments.map(({ model }) => model) : [plan.kind];
}

function requiring(changes: Partial<GenerationRequest["requirements"]>): GenerationRequest["requirements"] {
  return { vision: false, tools: false, jsonOutput: false, longContext: false, ...changes };
}
