import { expect } from "chai";
import { decodeText, decodeWith, expectChat, listFaults } from "./decode-by-hand.ts";

function readMessages(...messages: unknown[]) {
  return expectChat(decodeWith({ messages })).generation.messages;
}

function faultsOf(...messages: unknown[]) {
  return listFaults(decodeWith({ messages }));
}

const CALL = { id: "call_1", type: "function", function: { name: "get_time", arguments: '{"zone":"UTC"}' } };

describe("decodeMessages", () => {
  it("reads each role, developer as system", () => {
    expect(
      readMessages(
        { role: "system", content: "Be brief." },
        { role: "developer", content: [{ type: "text", text: "No lists." }] },
        { role: "user", name: "ann", content: "Time?" },
        { role: "assistant", content: null, tool_calls: [CALL] },
        { role: "tool", tool_call_id: "call_1", content: "12:00" },
        { role: "assistant", content: "Noon." },
      ),
    ).to.deep.equal([
      { role: "system", parts: [{ kind: "text", text: "Be brief." }] },
      { role: "system", parts: [{ kind: "text", text: "No lists." }] },
      { role: "user", name: "ann", parts: [{ kind: "text", text: "Time?" }] },
      {
        role: "assistant",
        parts: [],
        toolCalls: [{ callId: "call_1", name: "get_time", arguments: '{"zone":"UTC"}' }],
      },
      { role: "tool", toolCallId: "call_1", parts: [{ kind: "text", text: "12:00" }] },
      { role: "assistant", parts: [{ kind: "text", text: "Noon." }] },
    ]);
  });

  it("takes back an assistant message as this door or a client wrote it", () => {
    const echoed = {
      role: "assistant",
      content: "",
      refusal: null,
      annotations: [],
      audio: null,
      function_call: null,
      parsed: null,
      reasoning_content: "Hm.",
      tool_calls: [{ ...CALL, index: 0 }],
    };
    expect(readMessages(echoed)[0]).to.have.property("toolCalls").with.length(1);
    expect(
      readMessages({ role: "assistant", content: null, refusal: "I will not." })[0]?.parts,
    ).to.deep.equal([{ kind: "text", text: "I will not." }]);
  });

  it("pairs function results of the old form with the call before them", () => {
    const messages = readMessages(
      { role: "user", content: "Time?" },
      { role: "assistant", content: null, function_call: { name: "get_time", arguments: "{}" } },
      { role: "function", name: "get_time", content: "12:00" },
    );
    expect(messages[1]?.toolCalls?.[0]?.callId).to.equal("function_call_1");
    expect(messages[2]).to.include({ role: "tool", toolCallId: "function_call_1" });
    expect(faultsOf({ role: "function", name: "get_time", content: "12:00" })).to.deep.equal([
      "invalid_value messages[0].name",
    ]);
  });

  it("lets an empty tool result be empty", () => {
    expect(readMessages({ role: "tool", tool_call_id: "call_1", content: "" })[0]?.parts).to.deep.equal([]);
  });

  it("leaves empty texts out of a list of parts", () => {
    const content = [
      { type: "text", text: "" },
      { type: "text", text: "x" },
    ];
    expect(readMessages({ role: "user", content })[0]?.parts).to.deep.equal([{ kind: "text", text: "x" }]);
  });

  const user = { role: "user", content: "x" };
  const faulty: readonly [string, unknown[], string][] = [
    ["no message at all", [], "invalid_value messages"],
    ["1,001 messages", Array.from({ length: 1_001 }, () => user), "invalid_value messages"],
    ["a message that is text", ["hi"], "invalid_type messages[0]"],
    ["no role", [{ content: "x" }], "missing_required_parameter messages[0].role"],
    ["an unknown role", [user, { ...user, role: "critic" }], "invalid_value messages[1].role"],
    ["no content", [{ role: "user" }], "missing_required_parameter messages[0].content"],
    ["empty content", [{ role: "user", content: "" }], "invalid_value messages[0].content"],
    ["a silent assistant", [{ role: "assistant", content: "" }], "invalid_value messages[0].content"],
    ["content that is a number", [{ role: "user", content: 5 }], "invalid_type messages[0].content"],
    [
      "content without end",
      [{ role: "user", content: "a".repeat(4 * 1024 * 1024 + 1) }],
      "invalid_value messages[0].content",
    ],
    ["an unknown member", [{ ...user, mood: "good" }], "unknown_parameter messages[0].mood"],
    ["a bad name", [{ ...user, name: "Ann B" }], "invalid_value messages[0].name"],
    ["a long name", [{ ...user, name: "a".repeat(65) }], "invalid_value messages[0].name"],
    ["calls by a user", [{ ...user, tool_calls: [CALL] }], "unknown_parameter messages[0].tool_calls"],
    [
      "a result without a call",
      [{ role: "tool", content: "x" }],
      "missing_required_parameter messages[0].tool_call_id",
    ],
    [
      "a result without content",
      [{ role: "tool", tool_call_id: "c" }],
      "missing_required_parameter messages[0].content",
    ],
    [
      "a call without an id",
      [{ role: "assistant", tool_calls: [{ ...CALL, id: "" }] }],
      "invalid_value messages[0].tool_calls[0].id",
    ],
    [
      "a custom call",
      [{ role: "assistant", tool_calls: [{ id: "c", type: "custom", custom: { name: "x", input: "" } }] }],
      "unknown_parameter messages[0].tool_calls[0].custom",
    ],
    [
      "arguments that are no string",
      [{ role: "assistant", tool_calls: [{ id: "c", function: { name: "f", arguments: {} } }] }],
      "invalid_type messages[0].tool_calls[0].function.arguments",
    ],
    [
      "an audio part",
      [{ role: "user", content: [{ type: "input_audio", input_audio: {} }] }],
      "invalid_value messages[0].content[0].type",
    ],
    [
      "a picture from the system",
      [{ role: "system", content: [{ type: "image_url", image_url: { url: "https://x.example/a.png" } }] }],
      "invalid_value messages[0].content[0].type",
    ],
  ];
  for (const [title, messages, fault] of faulty) {
    it(`refuses ${title}`, () => {
      expect(faultsOf(...messages)[0]).to.equal(fault);
    });
  }

  it("refuses half a surrogate pair, which no UTF-8 can hold", () => {
    const text = '{"model":"auto","messages":[{"role":"user","content":"\\ud83d"}]}';
    expect(listFaults(decodeText(text))).to.deep.equal(["invalid_value messages[0].content"]);
  });

  it("quotes no content in its faults", () => {
    const decoded = decodeWith({
      messages: [{ role: "user", content: [{ type: "text", text: 5, secretPlan: "attack at dawn" }] }],
    });
    expect(JSON.stringify(decoded)).to.contain("messages[0].content[0].text").and.not.to.contain("dawn");
  });
});
