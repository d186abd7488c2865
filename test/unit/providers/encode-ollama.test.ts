import { expect } from "chai";
import type { GenerationRequest, Message } from "../../../src/domain/request.ts";
import { encodeRequest, refuseRequest } from "../../../src/providers/ollama/encode-request.ts";
import { makeCall, makeDeployment } from "../../conformance/provider-calls.ts";

const CAPABILITIES = {
  contextWindowTokens: 16_384,
  maxOutputTokens: 4_096,
  vision: true,
  tools: true,
  jsonObject: true,
  jsonSchema: true,
  longContext: false,
};

function encode(request: Partial<GenerationRequest> = {}, deployment = makeDeployment()) {
  return JSON.parse(encodeRequest(makeCall(request, { deployment })));
}

const TOOLS = [{ name: "add", description: "Adds." }];

describe("a request to Ollama", () => {
  it("asks for a stream and for the window of the catalog", () => {
    const sampling = { temperature: 0.2, topP: 0.9, maxOutputTokens: 7, stopSequences: ["END"] };
    const body = encode({ sampling }, makeDeployment({ capabilities: CAPABILITIES }));
    expect(body).to.include({ stream: true, model: "mini-2026" });
    expect(body.options).to.deep.equal({
      num_ctx: 16_384,
      num_predict: 7,
      temperature: 0.2,
      top_p: 0.9,
      stop: ["END"],
    });
  });

  it("says whether to think where that is decided", () => {
    expect(encode({ thinking: false })).to.include({ think: false });
    expect(encode({})).to.not.have.property("think");
  });

  it("adds the operator's options one by one", () => {
    const requestOverrides = { think: false, options: { num_ctx: 8_192, top_k: 4 }, model: "other" };
    const deployment = makeDeployment({ capabilities: CAPABILITIES, requestOverrides });
    const body = encode({ sampling: { temperature: 0.2 } }, deployment);
    expect(body.options).to.deep.equal({ num_ctx: 8_192, top_k: 4, temperature: 0.2 });
    expect(body).to.include({ think: false, model: "mini-2026" });
  });

  it("sends the results of a turn in the order of its calls, since ids do not go out", () => {
    const call = (...callIds: readonly string[]): Message => ({
      role: "assistant",
      parts: [],
      toolCalls: callIds.map((callId) => ({ callId, name: "f", arguments: "{}" })),
    });
    const result = (toolCallId: string): Message => ({
      role: "tool",
      parts: [{ kind: "text", text: `of ${toolCallId}` }],
      toolCallId,
    });
    const user: Message = { role: "user", parts: [{ kind: "text", text: "Go on." }] };
    const messages = [
      call("a", "b"),
      result("b"),
      result("a"),
      user,
      call("b", "a"),
      result("a"),
      result("b"),
    ];
    const sent: { role: string; content: string }[] = encode({ messages }).messages;
    expect(sent.map(({ role, content }) => content || role)).to.deep.equal([
      "assistant",
      "of a",
      "of b",
      "Go on.",
      "assistant",
      "of b",
      "of a",
    ]);
  });

  it("sends images as bytes, calls with objects, and results under the name of their tool", () => {
    const data = new Uint8Array([1, 2, 3]);
    const messages: Message[] = [
      {
        role: "user",
        parts: [
          { kind: "text", text: "See." },
          { kind: "image", source: { kind: "data", data, mediaType: "image/png" } },
        ],
      },
      {
        role: "assistant",
        parts: [],
        toolCalls: [
          { callId: "c1", name: "add", arguments: '{"a":2}' },
          { callId: "c2", name: "mul", arguments: "[1" },
        ],
      },
      { role: "tool", parts: [{ kind: "text", text: "4" }], toolCallId: "c1" },
    ];
    expect(encode({ messages }).messages).to.deep.equal([
      { role: "user", content: "See.", images: ["AQID"] },
      {
        role: "assistant",
        content: "",
        tool_calls: [
          { function: { name: "add", arguments: { a: 2 } } },
          { function: { name: "mul", arguments: { arguments: "[1" } } },
        ],
      },
      { role: "tool", content: "4", tool_name: "add" },
    ]);
  });

  it("asks for JSON by name or by schema", () => {
    expect(encode({ responseFormat: { kind: "json_object" } }).format).to.equal("json");
    const schema = { type: "object" };
    const format = { kind: "json_schema", name: "c", schema, strict: true } as const;
    expect(encode({ responseFormat: format }).format).to.deep.equal(schema);
  });

  it("leaves the tools out when none may be chosen", () => {
    expect(encode({ tools: TOOLS }).tools).to.have.length(1);
    expect(encode({ tools: TOOLS, toolChoice: { kind: "none" } })).to.not.have.property("tools");
  });

  it("is refused before it is sent when Ollama has no words for it", () => {
    const refuse = (request: Partial<GenerationRequest>) => refuseRequest(makeCall(request));
    expect(refuse({})).to.equal(undefined);
    expect(refuse({ tools: TOOLS, toolChoice: { kind: "required" } })).to.deep.equal({
      class: "invalid_request",
      providerCode: "tool_choice_not_supported",
    });
    const source = { kind: "url", url: "https://x.test/a.png" } as const;
    expect(refuse({ messages: [{ role: "user", parts: [{ kind: "image", source }] }] })).to.include({
      providerCode: "image_url_not_supported",
    });
  });
});
