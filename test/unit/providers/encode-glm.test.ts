import { expect } from "chai";
import type { GenerationRequest } from "../../../src/domain/request.ts";
import { encodeRequest, refuseRequest } from "../../../src/providers/glm/encode-request.ts";
import { encodeRequest as encodeForOpenRouter } from "../../../src/providers/openrouter/encode-request.ts";
import { makeCall, makeDeployment } from "../../conformance/provider-calls.ts";

function encode(request: Partial<GenerationRequest> = {}, upstreamModel = "glm-4.7", overrides = {}) {
  const deployment = makeDeployment({ upstreamModel, requestOverrides: overrides });
  return JSON.parse(encodeRequest(makeCall(request, { deployment })));
}

const TOOLS = [{ name: "add", description: "Adds." }];

describe("a request to Zhipu", () => {
  it("has the sampling as asked and an id of its own", () => {
    const sampling = { temperature: 0.8, topP: 0.5, maxOutputTokens: 1_000, stopSequences: ["END"] };
    expect(encode({ sampling })).to.deep.include({
      temperature: 0.8,
      top_p: 0.5,
      max_tokens: 1_000,
      stop: ["END"],
      request_id: "attempt-1",
      stream: true,
    });
    expect(encode()).to.not.have.any.keys("temperature", "top_p", "max_tokens", "stop");
    expect(encode({ sampling: { temperature: 0.25 } })).to.include({ temperature: 0.25 });
  });

  it("leaves the tools out when none may be chosen and names no other choice than auto", () => {
    expect(encode({ tools: TOOLS }).tools).to.have.length(1);
    expect(encode({ tools: TOOLS, toolChoice: { kind: "auto" } })).to.include({ tool_choice: "auto" });
    const none = encode({ tools: TOOLS, toolChoice: { kind: "none" } });
    expect(none).to.not.have.any.keys("tools", "tool_choice");
  });

  it("sends text as one string, which other roles than the user's need", () => {
    const parts = [
      { kind: "text", text: "a" },
      { kind: "text", text: "b" },
    ] as const;
    const body = encode({ messages: [{ role: "tool", parts, toolCallId: "c" }] });
    expect(body.messages[0].content).to.equal("ab");
  });

  it("says whether to think where that is decided, and the operator's own words win", () => {
    expect(encode({ thinking: true }).thinking).to.deep.equal({ type: "enabled" });
    expect(encode({ thinking: false }).thinking).to.deep.equal({ type: "disabled" });
    expect(encode({ priority: "speed" })).to.not.have.property("thinking");
    const overrides = { thinking: { type: "enabled" } };
    expect(encode({ thinking: false }, "glm-4.7", overrides).thinking).to.deep.equal({ type: "enabled" });
  });

  const refusals: readonly [string, Partial<GenerationRequest>][] = [
    ["tool_choice_not_supported", { tools: TOOLS, toolChoice: { kind: "required" } }],
    ["tool_choice_not_supported", { tools: TOOLS, toolChoice: { kind: "tool", name: "add" } }],
    [
      "json_schema_not_supported",
      { responseFormat: { kind: "json_schema", name: "n", schema: {}, strict: false } },
    ],
    ["one_stop_sequence_at_most", { sampling: { stopSequences: ["a", "b"] } }],
  ];
  for (const [providerCode, request] of refusals) {
    it(`that it has no words for is refused with ${providerCode}`, () => {
      expect(refuseRequest(makeCall(request))).to.deep.equal({ class: "invalid_request", providerCode });
    });
  }

  it("is not refused otherwise", () => {
    expect(refuseRequest(makeCall({ tools: TOOLS, toolChoice: { kind: "none" } }))).to.equal(undefined);
    expect(refuseRequest(makeCall({ responseFormat: { kind: "json_object" } }))).to.equal(undefined);
  });
});

describe("a request to OpenRouter", () => {
  const encodeWith = (requestOverrides: Readonly<Record<string, unknown>>) =>
    JSON.parse(encodeForOpenRouter(makeCall({}, { deployment: makeDeployment({ requestOverrides }) })));

  it("allows another host, and never another model", () => {
    const body = encodeWith({ models: ["a/b"], top_k: 3 });
    expect(body).to.deep.include({ provider: { allow_fallbacks: true }, top_k: 3 });
    expect(body).to.not.have.any.keys("models", "stream_options");
    expect(encodeWith({ route: "fallback" })).to.not.have.property("route");
  });

  it("asks only hosts that take tools and the form of the answer, where the request has them", () => {
    const encodeFor = (request: Partial<GenerationRequest>) =>
      JSON.parse(encodeForOpenRouter(makeCall(request))).provider;
    const strict = { allow_fallbacks: true, require_parameters: true };
    expect(encodeFor({ tools: TOOLS })).to.deep.equal(strict);
    expect(encodeFor({ responseFormat: { kind: "json_object" } })).to.deep.equal(strict);
    expect(encodeFor({ sampling: { temperature: 1 } })).to.deep.equal({ allow_fallbacks: true });
  });

  it("says in its own words whether to think", () => {
    expect(JSON.parse(encodeForOpenRouter(makeCall({ thinking: false }))).reasoning).to.deep.equal({
      enabled: false,
    });
    expect(JSON.parse(encodeForOpenRouter(makeCall({})))).to.not.have.property("reasoning");
  });

  it("lets the operator choose among the hosts", () => {
    const provider = { only: ["x"], allow_fallbacks: false };
    expect(encodeWith({ provider }).provider).to.deep.equal(provider);
    const deployment = makeDeployment({ requestOverrides: { provider: { order: ["x"] } } });
    const body = JSON.parse(encodeForOpenRouter(makeCall({ tools: TOOLS }, { deployment })));
    expect(body.provider).to.deep.equal({ allow_fallbacks: true, require_parameters: true, order: ["x"] });
  });
});
