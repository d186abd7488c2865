import { expect } from "chai";
import { applyParameterRules } from "../../../src/core/apply-parameter-rules.ts";
import { ALL_PARAMETERS, type ParameterRules } from "../../../src/domain/parameter-rules.ts";
import type { GenerationRequest } from "../../../src/domain/request.ts";
import { sampleModel, sampleRequest } from "../../support/sample-catalog.ts";

const [PLAIN] = sampleModel("m").deployments;

function apply(
  changes: Partial<GenerationRequest>,
  rules: Partial<ParameterRules> = {},
  requestOverrides: Readonly<Record<string, unknown>> = {},
) {
  if (PLAIN === undefined) throw new Error("a sample model has a deployment");
  const request = sampleRequest(changes);
  const parameters = { ...ALL_PARAMETERS, ...rules };
  return {
    asked: request,
    ...applyParameterRules(request, request, { ...PLAIN, parameters, requestOverrides }),
  };
}

describe("whether to think", () => {
  const decide = (changes: Partial<GenerationRequest>, usual?: boolean, able = true) => {
    if (PLAIN === undefined) throw new Error("a sample model has a deployment");
    const request = sampleRequest(changes);
    const parameters = { ...ALL_PARAMETERS, thinking: able };
    const deployment = { ...PLAIN, parameters, ...(usual === undefined ? {} : { thinking: usual }) };
    return applyParameterRules(request, request, deployment);
  };

  const cases: readonly [Partial<GenerationRequest>, boolean | undefined, boolean | undefined][] = [
    [{ priority: "speed" }, true, false],
    [{ priority: "cost" }, true, false],
    [{ priority: "quality" }, false, true],
    [{ priority: "balanced" }, true, true],
    [{ priority: "balanced" }, false, false],
    [{ priority: "balanced" }, undefined, undefined],
    [{ priority: "speed", thinking: true }, false, true],
    [{ priority: "quality", thinking: false }, true, false],
  ];
  for (const [changes, usual, wanted] of cases) {
    it(`is ${wanted} for ${JSON.stringify(changes)} where the catalog says ${usual}`, () => {
      const { request, adjustments } = decide(changes, usual);
      expect(request.thinking).to.equal(wanted);
      expect(adjustments).to.deep.equal([]);
    });
  }

  it("is told as left out where the caller asks a deployment that cannot be told, and else not spoken of", () => {
    const { request, adjustments } = decide({ thinking: true }, undefined, false);
    expect(request).to.not.have.property("thinking");
    expect(adjustments).to.deep.equal([
      { field: "thinking", asked: "true", used: "", reason: "not_supported" },
    ]);
    expect(decide({ priority: "quality" }, true, false).request).to.not.have.property("thinking");
  });

  it("is no where there are tools and a deployment would want its thoughts back", () => {
    const toolCalls = [{ callId: "c", name: "f", arguments: "{}" }];
    const messages = [{ role: "assistant", parts: [], toolCalls } as const];
    const rules = { thinking: true, thinkingWithTools: false };
    const withTools: readonly Partial<GenerationRequest>[] = [
      { tools: [{ name: "f", description: "" }] },
      { messages },
    ];
    for (const tools of withTools) {
      expect(apply({ priority: "quality", ...tools }, rules)).to.deep.include({ adjustments: [] });
      expect(apply({ priority: "quality", ...tools }, rules).request.thinking).to.equal(false);
      const told = { field: "thinking", asked: "true", used: "false", reason: "not_supported" };
      expect(apply({ thinking: true, ...tools }, rules).adjustments).to.deep.equal([told]);
    }
    expect(apply({ priority: "quality" }, rules).request.thinking).to.equal(true);
  });

  const members: readonly [Record<string, unknown>, string | undefined][] = [
    [{ thinking: { type: "disabled" } }, "false"],
    [{ thinking: { type: "enabled" } }, undefined],
    [{ reasoning: { enabled: false } }, "false"],
    [{ reasoning: { effort: "low" } }, '{"effort":"low"}'],
    [{ think: false }, "false"],
    [{ think: true }, undefined],
  ];
  for (const [member, used] of members) {
    it(`asked for, under the operator's ${JSON.stringify(member)}, is told as ${used ?? "nothing"}`, () => {
      const { adjustments } = apply({ thinking: true }, { thinking: true }, member);
      const told =
        used === undefined ? [] : [{ field: "thinking", asked: "true", used, reason: "operator_setting" }];
      expect(adjustments).to.deep.equal(told);
    });
  }
});

describe("a form of the answer that is not enforced", () => {
  it("is told as asked for in words, unless the operator's own words stand for it", () => {
    const asked = { responseFormat: { kind: "json_object" } } as const;
    const told = {
      field: "response_format",
      asked: "json_object",
      used: "asked for in words",
      reason: "not_supported",
    };
    expect(apply(asked, { formatEnforced: false }).adjustments).to.deep.equal([told]);
    expect(apply(asked).adjustments).to.deep.equal([]);
    expect(apply({}, { formatEnforced: false }).adjustments).to.deep.equal([]);
    const { adjustments } = apply(asked, { formatEnforced: false }, { format: "own" });
    expect(adjustments).to.deep.equal([{ ...told, used: "own", reason: "operator_setting" }]);
  });
});

describe("the parameters of a request", () => {
  it("go out as they are where the deployment takes them, as the caller's own object", () => {
    const sampling = { temperature: 2, topP: 1, stopSequences: ["END"] };
    const { asked, request, adjustments } = apply({ sampling });
    expect(request).to.equal(asked);
    expect(adjustments).to.deep.equal([]);
  });

  it("are cut to the deployment's ranges at both ends, and each cut is told", () => {
    const ranges = { temperature: { min: 0.1, max: 1 }, topP: { min: 0.01, max: 0.5 } };
    const high = apply({ sampling: { temperature: 1.8, topP: 0.9, maxOutputTokens: 5 } }, ranges);
    expect(high.request.sampling).to.deep.equal({ temperature: 1, topP: 0.5, maxOutputTokens: 5 });
    expect(high.adjustments).to.deep.equal([
      { field: "sampling.temperature", asked: "1.8", used: "1", reason: "out_of_range" },
      { field: "sampling.top_p", asked: "0.9", used: "0.5", reason: "out_of_range" },
    ]);
    expect(apply({ sampling: { temperature: 0 } }, ranges).request.sampling.temperature).to.equal(0.1);
    expect(apply({ sampling: { temperature: 0.1, topP: 0.5 } }, ranges).adjustments).to.deep.equal([]);
  });

  it("are rounded to the decimals that are taken, and each change is told", () => {
    const rules = { temperature: { min: 0, max: 1 }, temperatureDecimalCount: 2 };
    const rounded = apply({ sampling: { temperature: 0.1 + 0.2 / 3, topP: 1 / 3 } }, rules);
    expect(rounded.request.sampling).to.deep.equal({ temperature: 0.17, topP: 1 / 3 });
    expect(rounded.adjustments).to.deep.equal([
      {
        field: "sampling.temperature",
        asked: String(0.1 + 0.2 / 3),
        used: "0.17",
        reason: "out_of_range",
      },
    ]);
    expect(apply({ sampling: { temperature: 0.7 } }, rules).adjustments).to.deep.equal([]);
    expect(apply({ sampling: { temperature: 1.234 } }, rules).request.sampling.temperature).to.equal(1);
  });

  it("are left out where they are not taken, and that is told", () => {
    const { request, adjustments } = apply({ sampling: { temperature: 0 } }, { temperature: undefined });
    expect(request.sampling).to.deep.equal({});
    expect(adjustments).to.deep.equal([
      { field: "sampling.temperature", asked: "0", used: "", reason: "not_supported" },
    ]);
  });

  it("lose top_p where it is not taken beside a temperature, unless only that is the caller's", () => {
    const rules = { temperatureWithTopP: false };
    const both = apply({ sampling: { temperature: 0.3, topP: 0.9 } }, rules);
    expect(both.request.sampling).to.deep.equal({ temperature: 0.3 });
    expect(both.adjustments).to.deep.equal([
      { field: "sampling.top_p", asked: "0.9", used: "", reason: "not_supported" },
    ]);
    expect(apply({ sampling: { topP: 0.9 } }, rules).request.sampling).to.deep.equal({ topP: 0.9 });
    if (PLAIN === undefined) throw new Error("a sample model has a deployment");
    const parameters = { ...ALL_PARAMETERS, ...rules };
    const merged = sampleRequest({ sampling: { temperature: 0.3, topP: 0.9 } });
    const caller = sampleRequest({ sampling: { topP: 0.9 } });
    const fitted = applyParameterRules(merged, caller, { ...PLAIN, parameters });
    expect(fitted.request.sampling).to.deep.equal({ topP: 0.9 });
    expect(fitted.adjustments).to.deep.equal([]);
  });

  it("lose names and details of images that nobody would read, once for all messages", () => {
    const image = { kind: "image", source: { kind: "url", url: "https://x.test/a" }, detail: "low" } as const;
    const text = { kind: "text", text: "hi" } as const;
    const messages = [
      { role: "user", parts: [text, image], name: "ann" },
      { role: "user", parts: [image], name: "bob" },
    ] as const;
    const { request, adjustments } = apply({ messages }, { imageDetail: false, speakerNames: false });
    const bare = { kind: "image", source: image.source };
    expect(request.messages).to.deep.equal([
      { role: "user", parts: [text, bare] },
      { role: "user", parts: [bare] },
    ]);
    expect(adjustments).to.deep.equal([
      { field: "messages.name", asked: "ann, bob", used: "", reason: "not_supported" },
      { field: "messages.parts.image.detail", asked: "low", used: "", reason: "not_supported" },
    ]);
  });

  it("are told where the operator's members of the body win over them", () => {
    const tools = [{ name: "add", description: "" }];
    const asked = { sampling: { temperature: 0.5, maxOutputTokens: 9 }, tools };
    const overrides = {
      temperature: 0.2,
      top_p: 0.3,
      options: { num_predict: 4 },
      thinking: { type: "disabled" },
    };
    expect(apply(asked, {}, overrides).adjustments).to.deep.equal([
      { field: "sampling.temperature", asked: "0.5", used: "0.2", reason: "operator_setting" },
      { field: "sampling.max_output_token_count", asked: "9", used: "4", reason: "operator_setting" },
    ]);
    expect(apply({ sampling: { temperature: 0.2 } }, {}, overrides).adjustments).to.deep.equal([]);
    const long = apply({ tools }, {}, { tools: ["x".repeat(1_000)] }).adjustments[0];
    expect(long?.used.length).to.equal(256);
  });
});
