import { expect } from "chai";
import type { Message } from "../../../src/domain/request.ts";
import { encodeRequest } from "../../../src/providers/gemini/encode-request.ts";
import { encodeRequest as encodeForOpenAi } from "../../../src/providers/openai/encode-request.ts";
import { collectGeneration } from "../../../src/router/collect-generation.ts";
import { makeCall } from "../../conformance/provider-calls.ts";
import { type DecodedAnswer, decodeReads, sse, sseDelta } from "./decode-answer.ts";

const SIGNED = { extra_content: { google: { thought_signature: "c2lnbmVk" } } };
const call = (name: string, more: object = {}) => ({
  ...more,
  type: "function",
  function: { name, arguments: "{}" },
});

/** The calls as a caller gets them in a whole answer. */
function collectCalls({ events, end }: DecodedAnswer) {
  const { onEvents, onFinished } = collectGeneration({
    onAnswer: ({ toolCalls }) => {
      collected = toolCalls;
    },
    onFailed() {},
  });
  let collected: readonly object[] = [];
  onEvents(1, events);
  if (end?.kind === "completed") onFinished({} as Parameters<typeof onFinished>[0]);
  return collected as readonly { callId: string; name: string; thoughtSignature?: string }[];
}

describe("Gemini's endpoint in OpenAI's style", () => {
  it("may leave out index and id, says stop after calls, and signs them", () => {
    const answer = decodeReads([
      sseDelta({ tool_calls: [call("one", { index: null, id: "", ...SIGNED })] }),
      sseDelta({ tool_calls: [call("two", { id: "" })] }),
      sseDelta({}, { finish_reason: "stop" }),
      "data: [DONE]\n\n",
    ]);
    expect(answer.end).to.include({ kind: "completed", finishReason: "tool_calls", rawFinishReason: "stop" });
    const calls = collectCalls(answer);
    expect(calls.map(({ name, thoughtSignature }) => [name, thoughtSignature])).to.deep.equal([
      ["one", "c2lnbmVk"],
      ["two", undefined],
    ]);
    expect(new Set(calls.map(({ callId }) => callId)).size).to.equal(2);
  });

  it("may sign a call in a later piece, and before its name", () => {
    const late = decodeReads([
      sseDelta({ tool_calls: [call("one", { index: 0, id: "c1" })] }),
      sseDelta({ tool_calls: [{ index: 0, ...SIGNED }] }),
      sseDelta({}, { finish_reason: "tool_calls" }),
    ]);
    const early = decodeReads([
      sseDelta({ tool_calls: [{ index: 0, id: "c1", ...SIGNED }] }),
      sseDelta({ tool_calls: [call("one", { index: 0 })] }),
      sseDelta({}, { finish_reason: "tool_calls" }),
    ]);
    for (const answer of [late, early]) {
      expect(collectCalls(answer)).to.deep.equal([
        { callId: "c1", name: "one", arguments: "{}", thoughtSignature: "c2lnbmVk" },
      ]);
    }
  });

  it("gets the signatures back with the calls in the next turn; other servers do not", () => {
    const messages: readonly Message[] = [
      {
        role: "assistant",
        parts: [],
        toolCalls: [
          { callId: "c1", name: "one", arguments: "{}", thoughtSignature: "c2lnbmVk" },
          { callId: "c2", name: "two", arguments: "{}" },
        ],
      },
      { role: "tool", parts: [{ kind: "text", text: "1" }], toolCallId: "c1" },
    ];
    const [assistant] = JSON.parse(encodeRequest(makeCall({ messages }))).messages;
    expect(assistant.tool_calls[0]).to.deep.include(SIGNED);
    expect(assistant.tool_calls[1]).to.not.have.property("extra_content");
    expect(encodeForOpenAi(makeCall({ messages }))).to.not.include("thought_signature");
  });

  it("may answer an error in a list of one, also after it has begun well", () => {
    const error = { error: { code: 429, message: "quota", status: "RESOURCE_EXHAUSTED" } };
    for (const reads of [[JSON.stringify([error])], [sseDelta({ content: "a" }), sse([error])]]) {
      expect(decodeReads(reads).end).to.have.nested.property("failure.class", "rate_limit");
    }
  });
});
