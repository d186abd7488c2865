import { expect } from "chai";
import { ALL_PARAMETERS } from "../../src/domain/parameter-rules.ts";
import { RouterBench } from "../support/router-bench.ts";
import { sampleModel, sampleRequest } from "../support/sample-catalog.ts";
import { sampleGroup } from "../unit/core/candidates/sample-targets.ts";
import { driveRequest } from "./drive-request.ts";

const COOL = { ...ALL_PARAMETERS, temperature: { min: 0, max: 1 } };
const TOOLS = [{ name: "add", description: "" }];

describe("what an answer says of changes to its request", () => {
  it("is nothing where the deployment took everything", async () => {
    const bench = new RouterBench([sampleModel("m")]);
    const { consumer } = await driveRequest(bench, { sampling: { temperature: 2 } }, () => "answers");
    expect(consumer.result?.adjustments).to.deep.equal([]);
  });

  it("is about the deployment that answered, not about those that failed before it", async () => {
    const models = [sampleModel("cool", { parameters: COOL }), sampleModel("any")];
    const bench = new RouterBench(models, { targets: { groups: [sampleGroup("g", [["cool"], ["any"]])] } });
    const asked = { sampling: { temperature: 1.5 }, target: { kind: "named", name: "g" } } as const;
    const first = await driveRequest(bench, asked, () => "answers");
    expect(first.sent[0]?.sampling).to.deep.equal({ temperature: 1 });
    expect(first.consumer.result?.adjustments).to.deep.equal([
      { field: "sampling.temperature", asked: "1.5", used: "1", reason: "out_of_range" },
    ]);
    const second = await driveRequest(bench, asked, (model) =>
      model === "cool" ? "server_error" : "answers",
    );
    expect(second.sent.map(({ sampling }) => sampling.temperature)).to.deep.equal([1, 1.5]);
    expect(second.consumer.result?.adjustments).to.deep.equal([]);
  });

  it("names what cut the length of the answer: the window, or the operator's echelon", async () => {
    const small = sampleModel("small", { capabilities: { contextWindowTokens: 1_000 } });
    const cut = await driveRequest(
      new RouterBench([small]),
      { sampling: { maxOutputTokens: 2_000 } },
      () => "answers",
    );
    const [byWindow] = cut.consumer.result?.adjustments ?? [];
    expect(byWindow).to.include({ field: "sampling.max_output_token_count", asked: "2000" });
    expect(byWindow?.reason).to.equal("context_window");
    expect(Number(byWindow?.used)).to.be.within(900, 999);
    expect(cut.sent[0]?.sampling.maxOutputTokens).to.equal(Number(byWindow?.used));
    const group = sampleGroup("g", [["m"]]);
    const [echelon] = group.echelons;
    if (echelon === undefined) throw new Error("the group has an echelon");
    const groups = [
      { ...group, echelons: [{ ...echelon, settings: { ...echelon.settings, maxOutputTokens: 50 } }] },
    ];
    const asked = { sampling: { maxOutputTokens: 2_000 }, target: { kind: "named", name: "g" } } as const;
    const bench = new RouterBench([sampleModel("m")], { targets: { groups } });
    const { consumer } = await driveRequest(bench, asked, () => "answers");
    expect(consumer.result?.adjustments).to.deep.equal([
      { field: "sampling.max_output_token_count", asked: "2000", used: "50", reason: "operator_setting" },
    ]);
  });

  it("gives a deployment that demands a limit the most that has room, and speaks of no change", async () => {
    const parameters = { ...ALL_PARAMETERS, outputLimitNeeded: true };
    const capabilities = { contextWindowTokens: 1_000, maxOutputTokens: 900 };
    const bench = new RouterBench([sampleModel("strict", { parameters, capabilities })]);
    const words = "a few words of prompt ".repeat(60);
    const messages = [{ role: "user", parts: [{ kind: "text", text: words }] }] as const;
    const { consumer, sent } = await driveRequest(bench, { messages }, () => "answers");
    expect(sent[0]?.sampling.maxOutputTokens).to.be.within(300, 750);
    expect(consumer.result?.adjustments).to.deep.equal([]);
  });

  it("tells a requirement that was given up, with what is expected instead", async () => {
    const bench = new RouterBench([sampleModel("m")]);
    const requirements = { ...sampleRequest().requirements, minSuccessRatio: 1, maxLatencyMs: 1 };
    const { consumer } = await driveRequest(bench, { requirements }, () => "answers");
    const told = consumer.result?.adjustments ?? [];
    expect(told.map(({ field, asked, reason }) => [field, asked, reason])).to.deep.equal([
      ["requirements.min_success_ratio", "1", "requirement_relaxed"],
      ["requirements.max_latency_duration", "0.001s", "requirement_relaxed"],
    ]);
    for (const { used } of told) expect(Number.parseFloat(used)).to.be.greaterThan(0);
  });
});

describe("what cannot be told to a provider", () => {
  const strict = { ...ALL_PARAMETERS, forcedToolCalls: false, imageUrls: false, maxStopSequences: 1 };
  const image = { kind: "image", source: { kind: "url", url: "https://x.test/a.png" } } as const;
  const cases = {
    "a demand for a call": { tools: TOOLS, toolChoice: { kind: "required" } },
    "a demand for one tool's call": { tools: TOOLS, toolChoice: { kind: "tool", name: "add" } },
    "an image by address": { messages: [{ role: "user", parts: [image] }] },
    "more stop sequences": { sampling: { stopSequences: ["a", "b"] } },
  } as const;

  for (const [what, request] of Object.entries(cases)) {
    it(`goes to another deployment, or is refused by name: ${what}`, async () => {
      const capabilities = { vision: true };
      const models = [
        sampleModel("strict", { parameters: strict, capabilities, tiers: { quality: 5, cost: 1, speed: 1 } }),
        sampleModel("free", { capabilities, tiers: { quality: 1, cost: 5, speed: 5 } }),
      ];
      const routed = await driveRequest(new RouterBench(models), request, () => "answers");
      expect(routed.models).to.deep.equal(["free"]);
      const refused = await driveRequest(
        new RouterBench(models),
        { ...request, target: { kind: "model", model: "strict" } },
        () => "answers",
      );
      expect(refused.models).to.deep.equal([]);
      expect(refused.consumer.error?.reason).to.equal("NO_MODEL_MEETS_REQUIREMENTS");
      expect(refused.consumer.error?.message).to.match(/strict (cannot be made to call|takes)/);
    });
  }

  it("does not keep ordinary tool choices away", async () => {
    const bench = new RouterBench([sampleModel("strict", { parameters: strict })]);
    for (const kind of ["auto", "none"] as const) {
      const { models } = await driveRequest(bench, { tools: TOOLS, toolChoice: { kind } }, () => "answers");
      expect(models).to.deep.equal(["strict"]);
    }
  });
});
