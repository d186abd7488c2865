import { expect } from "chai";
import type { GenerationEvent } from "../../../src/domain/event.ts";
import { collectToolCalls } from "../../conformance/provider-recorder.ts";
import { decodeReads, joinText, sse, sseDelta } from "./decode-answer.ts";

const STOP = sse({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
const DONE = "data: [DONE]\n\n";
const INTERRUPTED = { kind: "failed", failure: { class: "stream_interrupted", httpStatus: 200 } };

function usages(events: readonly GenerationEvent[]) {
  return events.flatMap((event) => (event.kind === "usage" ? [event.usage] : []));
}

describe("AnswerDecoder", () => {
  it("never takes a cut stream for an answer", () => {
    expect(decodeReads([sseDelta({ content: "Hel" })]).end).to.deep.equal(INTERRUPTED);
    expect(decodeReads([]).end).to.deep.equal(INTERRUPTED);
    expect(decodeReads([DONE]).end).to.deep.equal(INTERRUPTED);
  });

  it("takes a stream that ends after its finish reason for whole, even with a torn tail", () => {
    const tooLong = `data: ${"x".repeat(5 * 1024 * 1024)}`;
    for (const tail of ["", 'data: {"choices":[],"usage":{"prompt_', "data: [DO", ": bye", tooLong]) {
      const { end } = decodeReads([sseDelta({ content: "Hi" }), STOP, tail]);
      expect(end).to.include({ kind: "completed", finishReason: "stop" });
    }
  });

  it("says nothing after [DONE]", () => {
    const { events } = decodeReads([sseDelta({ content: "a" }) + STOP + DONE + sseDelta({ content: "b" })]);
    expect(joinText(events, "text_delta")).to.equal("a");
  });

  it("understands one JSON answer instead of a stream, with or without a byte order mark", () => {
    const body = JSON.stringify({
      model: "m-1",
      choices: [
        {
          message: { role: "assistant", content: "Hello", reasoning_content: "hm" },
          finish_reason: "length",
        },
      ],
      usage: { prompt_tokens: 2, completion_tokens: 1 },
    });
    for (const prefix of ["", "\uFEFF", "\n "]) {
      const { events, end } = decodeReads([prefix, body.slice(0, 9), body.slice(9)]);
      expect(joinText(events, "text_delta")).to.equal("Hello");
      expect(joinText(events, "reasoning_delta")).to.equal("hm");
      expect(usages(events)).to.deep.equal([{ inputTokens: 2, outputTokens: 1 }]);
      expect(end).to.deep.equal({
        kind: "completed",
        finishReason: "length",
        rawFinishReason: "length",
        responseModel: "m-1",
      });
    }
  });

  it("takes an error object in a 200 for a failure, with its code", () => {
    const { end } = decodeReads(['{"error":{"code":"1305","message":"busy"}}']);
    expect(end).to.deep.equal({
      kind: "failed",
      failure: { class: "overloaded", httpStatus: 200, providerCode: "1305" },
    });
  });

  it("finds an error in a list of one, as Google wraps it, in a 200 and in a stream", () => {
    const list = [{ error: { code: 503, message: "busy", status: "UNAVAILABLE" } }];
    const failure = { class: "overloaded", httpStatus: 200, providerCode: "503" };
    for (const reads of [[JSON.stringify(list)], [sseDelta({ content: "a" }), sse(list)]]) {
      expect(decodeReads(reads).end).to.deep.equal({ kind: "failed", failure });
    }
  });

  it("takes cut JSON, other JSON and deep JSON for a broken answer", () => {
    for (const body of [
      '{"choices":[{"mess',
      "{}",
      "[]",
      `${"[".repeat(100_000)}`,
      '{"a":'.repeat(100_000),
    ]) {
      expect(decodeReads([body]).end).to.deep.equal(INTERRUPTED);
    }
  });

  it("takes a page of HTML for a server error", () => {
    const { end } = decodeReads(["\n <!DOCTYPE html>", "<html>sorry</html>"]);
    expect(end).to.deep.equal({ kind: "failed", failure: { class: "server_error", httpStatus: 200 } });
  });

  it("takes malformed JSON in an event for a broken answer", () => {
    const { events, end } = decodeReads([sseDelta({ content: "a" }), "data: {oops}\n\n", STOP]);
    expect(joinText(events, "text_delta")).to.equal("a");
    expect(end).to.deep.equal(INTERRUPTED);
  });

  it("joins the halves of a character that two deltas share and replaces a half left alone", () => {
    const half = (escaped: string) =>
      sse("").replace('""', `{"choices":[{"delta":{"content":"${escaped}"}}]}`);
    const whole = decodeReads([half("a\\ud83d"), half("\\ude00b"), STOP, DONE]);
    expect(joinText(whole.events, "text_delta")).to.equal("a😀b");
    const lone = decodeReads([half("a\\ud83d"), half("b"), half("\\ud83d"), STOP, DONE]);
    expect(joinText(lone.events, "text_delta")).to.equal("a\uFFFDb\uFFFD");
  });

  it("replaces broken UTF-8 and goes on", () => {
    const bytes = Buffer.from(sseDelta({ content: "a?b" }));
    bytes[bytes.indexOf("?")] = 0xc3;
    const { events, end } = decodeReads([bytes, STOP, DONE]);
    expect(joinText(events, "text_delta")).to.equal("a\uFFFDb");
    expect(end).to.include({ kind: "completed" });
  });

  it("leaves everything in angle brackets and markup as it is, but for reasoning at the beginning", () => {
    const text = "a <think>x</think><|end_of_box|>";
    expect(joinText(decodeReads([sseDelta({ content: text }), STOP]).events, "text_delta")).to.equal(text);
  });

  it("tells usage when it changes and leaves out what cannot be", () => {
    const usage = (value: unknown) => sse({ choices: [], usage: value });
    const { events } = decodeReads([
      usage({ prompt_tokens: 0, completion_tokens: 0 }),
      usage({ prompt_tokens: 5, completion_tokens: 1 }),
      usage({ prompt_tokens: 5, completion_tokens: 1 }),
      usage({ prompt_tokens: -1, completion_tokens: 2, cost: 0.5 }),
      usage({ prompt_tokens: 2 ** 60, completion_tokens: "7" }),
      usage({
        prompt_tokens: 5,
        completion_tokens: 4,
        prompt_tokens_details: { cached_tokens: 6 },
        completion_tokens_details: { reasoning_tokens: 4 },
      }),
      sseDelta({ content: "a" }),
      STOP,
    ]);
    expect(usages(events)).to.deep.equal([
      { inputTokens: 5, outputTokens: 1 },
      { outputTokens: 2, costNanoUsd: 500_000_000 },
      { inputTokens: 5, outputTokens: 4, reasoningTokens: 4 },
    ]);
  });

  it("counts thoughts that are a part of the total only, as Gemini's and xAI's are", () => {
    const usageOf = (usage: object) =>
      usages(decodeReads([sseDelta({ content: "a" }), sse({ choices: [], usage }), STOP]).events)[0];
    const counts = { prompt_tokens: 9, completion_tokens: 3 };
    expect(usageOf({ ...counts, total_tokens: 105 })).to.deep.equal({
      inputTokens: 9,
      outputTokens: 96,
      reasoningTokens: 93,
    });
    const told = (reasoning_tokens: number) => ({ completion_tokens_details: { reasoning_tokens } });
    expect(usageOf({ ...counts, total_tokens: 105, ...told(93) })).to.deep.equal({
      inputTokens: 9,
      outputTokens: 96,
      reasoningTokens: 93,
    });
    for (const more of [{ total_tokens: 12 }, { total_tokens: 5 }, { total_tokens: "105" }]) {
      expect(usageOf({ ...counts, ...more })).to.deep.equal({ inputTokens: 9, outputTokens: 3 });
    }
    expect(usageOf({ ...counts, total_tokens: 20, ...told(2) })).to.deep.equal({
      inputTokens: 9,
      outputTokens: 3,
      reasoningTokens: 2,
    });
  });

  it("takes an answer that the server itself gave up for failed, and Mistral's full window for a limit", () => {
    const endOf = (finish_reason: string) =>
      decodeReads([sseDelta({ content: "half" }), sse({ choices: [{ index: 0, delta: {}, finish_reason }] })])
        .end;
    const failure = { class: "overloaded", httpStatus: 200, providerCode: "insufficient_system_resource" };
    expect(endOf("insufficient_system_resource")).to.deep.equal({ kind: "failed", failure });
    expect(endOf("abort")).to.deep.include({
      failure: { class: "server_error", httpStatus: 200, providerCode: "abort" },
    });
    expect(endOf("model_length")).to.include({ finishReason: "length", rawFinishReason: "model_length" });
  });

  it("counts what the host takes beside OpenRouter's fee, where the key at the host is one's own", () => {
    const costOf = (more: object) => {
      const usage = { prompt_tokens: 5, completion_tokens: 1, cost: 0.25, ...more };
      return usages(decodeReads([sseDelta({ content: "a" }), sse({ choices: [], usage }), STOP]).events)[0];
    };
    const cost_details = { upstream_inference_cost: 4 };
    expect(costOf({ cost_details })).to.include({ costNanoUsd: 250_000_000 });
    expect(costOf({ cost_details, is_byok: true })).to.include({ costNanoUsd: 4_250_000_000 });
    expect(costOf({ is_byok: true })).to.not.have.property("costNanoUsd");
  });

  it("does not tell reasoning twice when it comes under both names", () => {
    const delta = { reasoning: "hm", reasoning_content: "hm", reasoning_details: [{ text: "hm" }] };
    expect(joinText(decodeReads([sseDelta(delta), STOP]).events, "reasoning_delta")).to.equal("hm");
  });

  it("passes over other choices than the first", () => {
    const { events } = decodeReads([
      sse({ choices: [{ index: 1, delta: { content: "b" } }] }),
      sseDelta({ content: "a" }),
      STOP,
    ]);
    expect(joinText(events, "text_delta")).to.equal("a");
  });

  it("is not fooled by __proto__ or by members of the wrong type", () => {
    const odd =
      '{"__proto__":{"choices":[]},"choices":[7,null,{"delta":{"content":{},"tool_calls":[1,{"function":5}]}}]}';
    const { end } = decodeReads([`data: ${odd}\n\n`, sseDelta({ content: "a" }), STOP]);
    expect(end).to.have.property("kind").that.is.oneOf(["completed", "failed"]);
  });
});

describe("AnswerDecoder puts tool calls together", () => {
  const fragment = (piece: unknown) => sseDelta({ tool_calls: [piece] });
  const call = (name: string, text: string) => ({ function: { name, arguments: text } });
  const cases: readonly [string, readonly unknown[], readonly (readonly [string, string, string])[]][] = [
    [
      "interleaved by index",
      [
        { index: 0, id: "a", ...call("add", "") },
        { index: 1, id: "b", ...call("mul", "") },
        { index: 0, ...call("", "1") },
        { index: 1, ...call("", "2") },
        { index: 0, ...call("", "3") },
      ],
      [
        ["a", "add", "13"],
        ["b", "mul", "2"],
      ],
    ],
    [
      "with the id and name on every fragment",
      [
        { index: 0, id: "a", ...call("add", "1") },
        { index: 0, id: "a", ...call("add", "2") },
      ],
      [["a", "add", "12"]],
    ],
    [
      "without ids and indexes",
      [call("add", "1"), call("", "2"), call("add", "3")],
      [
        ["call_attempt1_0", "add", "12"],
        ["call_attempt1_1", "add", "3"],
      ],
    ],
    [
      "without ids, all at index 0",
      [
        { index: 0, ...call("add", "1") },
        { index: 0, ...call("mul", "2") },
      ],
      [
        ["call_attempt1_0", "add", "1"],
        ["call_attempt1_1", "mul", "2"],
      ],
    ],
    [
      "with the same id twice",
      [
        { index: 0, id: "x", ...call("add", "1") },
        { index: 1, id: "x", ...call("mul", "2") },
      ],
      [
        ["x", "add", "1"],
        ["call_attempt1_1", "mul", "2"],
      ],
    ],
    [
      "with an id that comes late",
      [
        { index: 0, ...call("add", "1") },
        { index: 0, id: "late", ...call("", "2") },
      ],
      [["call_attempt1_0", "add", "12"]],
    ],
    [
      "with a name that comes late",
      [
        { index: 0, id: "a", ...call("", "1") },
        { index: 0, ...call("add", "2") },
      ],
      [["a", "add", "12"]],
    ],
    [
      "with arguments as an object",
      [{ index: 0, id: "a", function: { name: "add", arguments: { n: 1 } } }],
      [["a", "add", '{"n":1}']],
    ],
  ];

  for (const [title, fragments, wanted] of cases) {
    it(title, () => {
      const { events, end } = decodeReads([...fragments.map(fragment), STOP, DONE]);
      const calls = collectToolCalls(events);
      expect(calls.map((each) => [each.callId, each.name, each.arguments])).to.deep.equal(wanted);
      expect(calls.every(({ isWellFormed }) => isWellFormed)).to.equal(true);
      expect(end).to.include({ finishReason: "tool_calls", rawFinishReason: "stop" });
    });
  }

  it("in the form that came before tool_calls", () => {
    const { events } = decodeReads([sseDelta({ function_call: { name: "f", arguments: "{}" } }), STOP]);
    expect(collectToolCalls(events)).to.have.nested.property("[0].name", "f");
  });

  it("refuses calls without a name and more calls than make sense", () => {
    expect(decodeReads([fragment({ index: 0, id: "a" }), STOP, DONE]).end).to.deep.equal(INTERRUPTED);
    const many = Array.from({ length: 1_100 }, (_, index) =>
      fragment({ index, id: `c${index}`, ...call("f", "") }),
    );
    expect(decodeReads([...many, STOP, DONE]).end).to.deep.equal(INTERRUPTED);
  });
});

describe("AnswerDecoder bounds what a server can make it hold", () => {
  const line = Buffer.alloc(64 * 1024, "a");

  it("ends at a line of 50 MB", () => {
    const reads = [Buffer.from("data: "), ...Array.from({ length: 800 }, () => line)];
    expect(decodeReads(reads).end).to.deep.equal(INTERRUPTED);
  });

  it("ends at an event of many lines", () => {
    const row = Buffer.concat([Buffer.from("data: "), line, Buffer.from("\n")]);
    expect(decodeReads(Array.from({ length: 70 }, () => row)).end).to.deep.equal(INTERRUPTED);
  });

  it("ends at a JSON answer of 5 MB", () => {
    expect(decodeReads(["{", ...Array.from({ length: 80 }, () => line)]).end).to.deep.equal(INTERRUPTED);
  });

  it("ends at an answer of more than 64 MiB", () => {
    const event = Buffer.from(`: ${"a".repeat(64 * 1024)}\n\n`);
    const reads = [sseDelta({ content: "a" }), ...Array.from({ length: 1_100 }, () => event), STOP];
    expect(decodeReads(reads).end).to.deep.equal(INTERRUPTED);
  });

  it("reads a long line from 100,000 tiny reads in linear time", () => {
    const text = "x".repeat(300_000);
    const bytes = Buffer.from(sseDelta({ content: text }) + STOP);
    const reads = Array.from({ length: Math.ceil(bytes.length / 3) }, (_, index) =>
      bytes.subarray(index * 3, index * 3 + 3),
    );
    expect(joinText(decodeReads(reads).events, "text_delta")).to.equal(text);
  });

  it("reads many empty and odd lines in linear time", () => {
    const { end } = decodeReads([
      Buffer.from("x\r".repeat(200_000)),
      Buffer.from("\n\r".repeat(200_000)),
      sseDelta({ content: "a" }),
      STOP,
    ]);
    expect(end).to.include({ kind: "completed" });
  });
});
