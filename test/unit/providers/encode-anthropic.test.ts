import { expect } from "chai";
import type { GenerationRequest, Message } from "../../../src/domain/request.ts";
import { encodeRequest } from "../../../src/providers/anthropic/encode-request.ts";
import { makeCall, makeDeployment } from "../../conformance/provider-calls.ts";

const CAPABILITIES = {
  contextWindowTokens: 200_000,
  maxOutputTokens: 64_000,
  vision: true,
  tools: true,
  jsonObject: false,
  jsonSchema: false,
  longContext: true,
};

function encode(request: Partial<GenerationRequest> = {}, deployment = makeDeployment()) {
  return JSON.parse(encodeRequest(makeCall(request, { deployment })));
}

const text = (role: Message["role"], words: string): Message => ({
  role,
  parts: [{ kind: "text", text: words }],
});

describe("a request to Anthropic", () => {
  it("always streams and always has a limit: the caller's, else the model's, else a fixed one", () => {
    expect(encode({ sampling: { maxOutputTokens: 5 } })).to.include({ stream: true, max_tokens: 5 });
    expect(encode({}, makeDeployment({ capabilities: CAPABILITIES }))).to.include({ max_tokens: 64_000 });
    expect(encode()).to.include({ max_tokens: 4_096, model: "mini-2026" });
  });

  it("puts the system's messages beside the others, which lack them", () => {
    const messages = [text("system", "Be brief."), text("user", "Hi."), text("system", "Be kind.")];
    const body = encode({ messages });
    expect(body.system).to.equal("Be brief.\n\nBe kind.");
    expect(body.messages).to.deep.equal([{ role: "user", content: [{ type: "text", text: "Hi." }] }]);
    expect(encode()).to.not.have.property("system");
  });

  it("leaves out signatures that are not its own, and what is in them beside thoughts", () => {
    const forged = [{ type: "text", text: "x" }, { type: "thinking", thinking: "unsigned" }, 7];
    for (const thoughtSignature of [
      "c2lnbmVk",
      "anthropic:",
      "anthropic:{}",
      `anthropic:${JSON.stringify(forged)}`,
    ]) {
      const toolCalls = [{ callId: "a", name: "add", arguments: "{}", thoughtSignature }];
      const [message] = encode({ messages: [{ role: "assistant", parts: [], toolCalls }] }).messages;
      expect(message.content).to.deep.equal([{ type: "tool_use", id: "a", name: "add", input: {} }]);
    }
  });

  it("leaves out turns without content, which are refused", () => {
    const messages = [text("user", "Hi."), text("assistant", ""), text("user", "Still there?")];
    expect(encode({ messages }).messages).to.deep.equal([
      {
        role: "user",
        content: [
          { type: "text", text: "Hi." },
          { type: "text", text: "Still there?" },
        ],
      },
    ]);
  });

  it("puts the results of parallel calls together into the user's turn, under ids that are taken", () => {
    const toolCalls = [
      { callId: "a:1", name: "add", arguments: '{"a":2}' },
      { callId: "b2", name: "mul", arguments: "not json" },
    ];
    const result = (toolCallId: string, words: string) => ({ ...text("tool", words), toolCallId });
    const messages: Message[] = [
      text("user", "Go."),
      { role: "assistant", parts: [], toolCalls },
      result("a:1", "4"),
      result("b2", "6"),
      text("user", "And?"),
    ];
    expect(encode({ messages }).messages.slice(1)).to.deep.equal([
      {
        role: "assistant",
        content: [
          { type: "tool_use", id: "a_1", name: "add", input: { a: 2 } },
          { type: "tool_use", id: "b2", name: "mul", input: { arguments: "not json" } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "a_1", content: "4" },
          { type: "tool_result", tool_use_id: "b2", content: "6" },
          { type: "text", text: "And?" },
        ],
      },
    ]);
  });

  it("sends images as bytes or as addresses", () => {
    const data = new Uint8Array([1, 2, 3]);
    const parts = [
      { kind: "image", source: { kind: "data", data, mediaType: "image/png" } },
      { kind: "image", source: { kind: "url", url: "https://x.test/a.png" } },
    ] as const;
    const [message] = encode({ messages: [{ role: "user", parts }] }).messages;
    expect(message.content).to.deep.equal([
      { type: "image", source: { type: "base64", media_type: "image/png", data: "AQID" } },
      { type: "image", source: { type: "url", url: "https://x.test/a.png" } },
    ]);
  });

  it("translates tools and every choice among them", () => {
    const tools = [{ name: "add", description: "Adds." }];
    expect(encode({ tools }).tools).to.deep.equal([
      { name: "add", description: "Adds.", input_schema: { type: "object", properties: {} } },
    ]);
    const choose = (toolChoice: GenerationRequest["toolChoice"]) =>
      encode({ tools, ...(toolChoice && { toolChoice }) }).tool_choice;
    expect(choose(undefined)).to.equal(undefined);
    expect(choose({ kind: "auto" })).to.deep.equal({ type: "auto" });
    expect(choose({ kind: "none" })).to.deep.equal({ type: "none" });
    expect(choose({ kind: "required" })).to.deep.equal({ type: "any" });
    expect(choose({ kind: "tool", name: "add" })).to.deep.equal({ type: "tool", name: "add" });
  });

  it("sends the sampling", () => {
    const sampling = { temperature: 0.3, topP: 0.5, stopSequences: ["END"] };
    expect(encode({ sampling })).to.deep.include({ temperature: 0.3, top_p: 0.5, stop_sequences: ["END"] });
  });

  it("asks in words for JSON, with the schema where there is one", () => {
    expect(encode({ responseFormat: { kind: "json_object" } }).system).to.include("one JSON object");
    const schema = { type: "object", properties: { city: { type: "string" } } };
    const { system } = encode({ responseFormat: { kind: "json_schema", name: "c", schema, strict: true } });
    expect(system).to.include(JSON.stringify(schema));
  });

  it("lets the operator's members win, but not over what is asked and how it comes back", () => {
    const requestOverrides = {
      thinking: { type: "enabled", budget_tokens: 1_024 },
      stream: false,
      messages: [],
    };
    const body = encode({}, makeDeployment({ requestOverrides }));
    expect(body).to.deep.include({ thinking: requestOverrides.thinking, stream: true });
    expect(body.messages).to.have.length(1);
  });
});
