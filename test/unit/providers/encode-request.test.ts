import { expect } from "chai";
import type { GenerationRequest, Message } from "../../../src/domain/request.ts";
import { encodeRequest } from "../../../src/providers/openai/encode-request.ts";
import { makeCall, makeDeployment } from "../../conformance/provider-calls.ts";
import { CANARIES } from "../../support/canaries.ts";

function encode(request: Partial<GenerationRequest>, requestOverrides: Record<string, unknown> = {}) {
  const call = makeCall(request, { deployment: makeDeployment({ requestOverrides }) });
  return JSON.parse(encodeRequest(call));
}

function encodeOne(message: Message): unknown {
  return encode({ messages: [message] }).messages[0];
}

describe("encodeRequest", () => {
  it("sends nothing that was not asked for, beside the stream with usage", () => {
    expect(encode({})).to.deep.equal({
      model: "mini-2026",
      messages: [{ role: "user", content: CANARIES.prompt }],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("sends text parts as one string and adds nothing between them", () => {
    const parts = ["a", " b", "c"].map((text) => ({ kind: "text", text }) as const);
    expect(encodeOne({ role: "system", parts, name: "boss" })).to.deep.equal({
      role: "system",
      content: "a bc",
      name: "boss",
    });
  });

  it("passes image addresses on and puts image bytes into data addresses", () => {
    const bytes = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
    const message: Message = {
      role: "user",
      parts: [
        { kind: "text", text: "What is it?" },
        { kind: "image", source: { kind: "url", url: "https://example.com/a.png" }, detail: "low" },
        { kind: "image", source: { kind: "data", data: bytes, mediaType: "image/png" } },
      ],
    };
    expect(encodeOne(message)).to.deep.equal({
      role: "user",
      content: [
        { type: "text", text: "What is it?" },
        { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "low" } },
        { type: "image_url", image_url: { url: "data:image/png;base64,AQID" } },
      ],
    });
  });

  it("says in DeepSeek's words whether to think", () => {
    expect(encode({ thinking: false }).thinking).to.deep.equal({ type: "disabled" });
    expect(encode({ thinking: true }).thinking).to.deep.equal({ type: "enabled" });
    expect(encode({})).to.not.have.property("thinking");
  });

  it("sends a call without arguments with an empty object of them", () => {
    const toolCalls = [{ callId: "c1", name: "now", arguments: "" }];
    const [message] = encode({ messages: [{ role: "assistant", parts: [], toolCalls }] }).messages;
    expect(message.tool_calls[0].function).to.deep.equal({ name: "now", arguments: "{}" });
  });

  it("sends the assistant's calls and the tools' results", () => {
    const toolCalls = [{ callId: "c1", name: "add", arguments: "{broken" }];
    expect(encodeOne({ role: "assistant", parts: [], toolCalls })).to.deep.equal({
      role: "assistant",
      content: null,
      tool_calls: [{ id: "c1", type: "function", function: { name: "add", arguments: "{broken" } }],
    });
    expect(encodeOne({ role: "tool", parts: [{ kind: "text", text: "5" }], toolCallId: "c1" })).to.deep.equal(
      {
        role: "tool",
        content: "5",
        tool_call_id: "c1",
      },
    );
  });

  it("sends sampling under the names of the wire, zero included", () => {
    const sampling = { temperature: 0, topP: 0.5, maxOutputTokens: 64, stopSequences: ["END"] };
    expect(encode({ sampling })).to.include({ temperature: 0, top_p: 0.5, max_tokens: 64 });
    expect(encode({ sampling }).stop).to.deep.equal(["END"]);
    expect(encode({ sampling: { stopSequences: [] } })).to.not.have.property("stop");
  });

  it("sends tools, with an empty schema for those without arguments", () => {
    const parameters = { type: "object", properties: { n: { type: "number" } } };
    const tools = [
      { name: "f", description: "F.", parameters },
      { name: "g", description: "" },
    ];
    expect(encode({ tools }).tools).to.deep.equal([
      { type: "function", function: { name: "f", description: "F.", parameters } },
      {
        type: "function",
        function: { name: "g", description: "", parameters: { type: "object", properties: {} } },
      },
    ]);
  });

  it("sends the tool choice in both of its forms", () => {
    const tools = [{ name: "f", description: "" }];
    for (const kind of ["auto", "none", "required"] as const) {
      expect(encode({ tools, toolChoice: { kind } }).tool_choice).to.equal(kind);
    }
    expect(encode({ tools, toolChoice: { kind: "tool", name: "f" } }).tool_choice).to.deep.equal({
      type: "function",
      function: { name: "f" },
    });
  });

  it("sends the form of the answer", () => {
    expect(encode({ responseFormat: { kind: "json_object" } }).response_format).to.deep.equal({
      type: "json_object",
    });
    const schema = { type: "object" };
    const responseFormat = { kind: "json_schema", name: "s", schema, strict: true } as const;
    expect(encode({ responseFormat }).response_format).to.deep.equal({
      type: "json_schema",
      json_schema: { name: "s", schema, strict: true },
    });
  });

  it("lets the deployment's own members win, but not over model, messages and stream", () => {
    const overrides = {
      temperature: 1,
      thinking: { type: "disabled" },
      stream_options: null,
      model: "other",
      messages: [],
      stream: false,
    };
    const body = encode({ sampling: { temperature: 0.2 } }, overrides);
    expect(body).to.deep.include({ temperature: 1, thinking: { type: "disabled" }, stream_options: null });
    expect(body).to.deep.include({ model: "mini-2026", stream: true });
    expect(body.messages).to.have.length(1);
  });

  it("treats __proto__ in the deployment's members as a plain member", () => {
    const body = encode({}, JSON.parse('{"__proto__":{"polluted":true}}'));
    expect(Object.hasOwn(body, "__proto__")).to.equal(true);
    expect(Object.prototype).to.not.have.property("polluted");
  });

  it("gives the limit the name that OpenAI's newer models have for it", () => {
    const sampling = { temperature: 0.2, topP: 0.9, maxOutputTokens: 7 };
    const encodeFor = (upstreamModel: string) =>
      JSON.parse(encodeRequest(makeCall({ sampling }, { deployment: makeDeployment({ upstreamModel }) })));
    for (const model of ["o3", "o4-mini", "gpt-5", "gpt-5-mini"]) {
      const body = encodeFor(model);
      expect(body).to.include({ max_completion_tokens: 7 });
      expect(body).to.not.have.property("max_tokens");
    }
    for (const model of ["gpt-4o", "my-o3", "glm-5"]) {
      expect(encodeFor(model)).to.include({ max_tokens: 7, temperature: 0.2, top_p: 0.9 });
    }
  });
});
