import { expect } from "chai";
import fc from "fast-check";
import type { GenerationEvent } from "../../../src/domain/event.ts";
import type { AnswerHead } from "../../../src/openai/answer-head.ts";
import { ChunkEncoder } from "../../../src/openai/chunk-encoder.ts";
import { makeDeployment } from "./catalog.ts";

function makeHead(form: Partial<AnswerHead["form"]> = {}): AnswerHead {
  const plain = {
    isStream: true,
    includesUsage: false,
    isLegacy: false,
    isSingleCall: false,
    notEnforced: [],
  };
  return { id: "chatcmpl-1", createdSeconds: 1_700_000_000, form: { ...plain, ...form } };
}

/** The deltas of all chunks, as a client parses them. */
function readChunks(text: string): unknown[] {
  return text
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => JSON.parse(event.slice("data: ".length)));
}

function readDeltas(text: string): unknown[] {
  return readChunks(text).map((chunk) => (chunk as { choices: { delta: unknown }[] }).choices[0]?.delta);
}

const RESULT = {
  deployment: makeDeployment("m"),
  responseModel: "m-1",
  finishReason: "stop",
  rawFinishReason: "stop",
  totalMs: 1,
  attemptNumber: 1,
  attempts: [],
  decisions: [],
  adjustments: [],
} as const;

function call(callId: string, name: string, argumentsDelta: string, last = false): GenerationEvent {
  return { kind: "tool_call_delta", callId, name, argumentsDelta, last };
}

describe("ChunkEncoder", () => {
  it("writes what JSON.stringify would write, for any text and model name", () => {
    const text = fc.string({ unit: "binary", minLength: 1 });
    fc.assert(
      fc.property(text, fc.string({ unit: "binary" }), fc.boolean(), (content, model, includesUsage) => {
        const encoder = new ChunkEncoder(makeHead({ includesUsage }), model);
        const chunk = {
          id: "chatcmpl-1",
          object: "chat.completion.chunk",
          created: 1_700_000_000,
          model,
          choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }],
          ...(includesUsage ? { usage: null } : {}),
        };
        const written = encoder.encodeEvents([{ kind: "text_delta", text: content }]);
        expect(written).to.equal(`data: ${JSON.stringify(chunk)}\n\n`);
      }),
    );
  });

  it("writes one chunk per event, and none for usage", () => {
    const deltas = readDeltas(
      new ChunkEncoder(makeHead(), "m").encodeEvents([
        { kind: "reasoning_delta", text: "Hm." },
        { kind: "usage", usage: { inputTokens: 1 } },
        { kind: "text_delta", text: "Yes." },
      ]),
    );
    expect(deltas).to.deep.equal([{ reasoning_content: "Hm." }, { content: "Yes." }]);
  });

  const batch = [
    call("a", "get_time", ""),
    call("a", "", '{"zone":'),
    call("b", "get_date", "{}", true),
    call("a", "", '"UTC"}'),
    call("a", "", "", true),
  ];

  it("numbers tool calls in the order of their first pieces", () => {
    expect(readDeltas(new ChunkEncoder(makeHead(), "m").encodeEvents(batch))).to.deep.equal([
      {
        tool_calls: [{ index: 0, id: "a", type: "function", function: { name: "get_time", arguments: "" } }],
      },
      { tool_calls: [{ index: 0, function: { arguments: '{"zone":' } }] },
      {
        tool_calls: [
          { index: 1, id: "b", type: "function", function: { name: "get_date", arguments: "{}" } },
        ],
      },
      { tool_calls: [{ index: 0, function: { arguments: '"UTC"}' } }] },
    ]);
  });

  it("gives only the first call when one is wanted, in the old form too", () => {
    const single = new ChunkEncoder(makeHead({ isSingleCall: true }), "m");
    expect(readDeltas(single.encodeEvents(batch))).to.have.length(3);
    const legacy = new ChunkEncoder(makeHead({ isSingleCall: true, isLegacy: true }), "m");
    expect(readDeltas(legacy.encodeEvents(batch))).to.deep.equal([
      { function_call: { name: "get_time", arguments: "" } },
      { function_call: { arguments: '{"zone":' } },
      { function_call: { arguments: '"UTC"}' } },
    ]);
    const end = legacy.encodeEnd({ ...RESULT, finishReason: "tool_calls" });
    expect(end).to.contain('"finish_reason":"function_call"');
  });

  it("ends with reason, usage and the end mark", () => {
    const usage = { inputTokens: 5, outputTokens: 7, cachedInputTokens: 2, reasoningTokens: 3 };
    const end = new ChunkEncoder(makeHead({ includesUsage: true }), "m").encodeEnd({ ...RESULT, usage });
    expect(end.endsWith("data: [DONE]\n\n")).to.equal(true);
    const [last, counts] = readChunks(end.replace("data: [DONE]\n\n", ""));
    expect(last).to.deep.include({
      choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: "stop" }],
      usage: null,
    });
    expect(counts).to.deep.include({
      choices: [],
      usage: {
        prompt_tokens: 5,
        completion_tokens: 7,
        total_tokens: 12,
        prompt_tokens_details: { cached_tokens: 2 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
    });
  });

  it("makes no usage up", () => {
    const encoder = new ChunkEncoder(makeHead({ includesUsage: true }), "m");
    expect(encoder.encodeEnd({ ...RESULT, usage: { inputTokens: 5 } })).not.to.contain("prompt_tokens");
    const unasked = new ChunkEncoder(makeHead(), "m").encodeEnd({
      ...RESULT,
      usage: { inputTokens: 5, outputTokens: 7 },
    });
    expect(unasked).not.to.contain("usage");
  });

  it("gives the provider's own word where OpenAI has none", () => {
    const result = { ...RESULT, finishReason: "other", rawFinishReason: 'sens"itive' } as const;
    const [chunk] = readChunks(
      new ChunkEncoder(makeHead(), "m").encodeEnd(result).replace("data: [DONE]\n\n", ""),
    );
    expect(chunk).to.have.nested.property("choices[0].finish_reason", "stop");
    expect(chunk).to.have.nested.property("choices[0].native_finish_reason", 'sens"itive');
  });
});
