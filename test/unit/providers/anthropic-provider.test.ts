import { expect } from "chai";
import type { Provider } from "../../../src/domain/ports.ts";
import type { Message } from "../../../src/domain/request.ts";
import { Secret } from "../../../src/lib/secret.ts";
import {
  createAnthropicProvider,
  openMessageDecoder,
} from "../../../src/providers/anthropic/anthropic-provider.ts";
import { encodeRequest } from "../../../src/providers/anthropic/encode-request.ts";
import { encodeRequest as encodeForGemini } from "../../../src/providers/gemini/encode-request.ts";
import { createOllamaProvider } from "../../../src/providers/ollama/ollama-provider.ts";
import { encodeRequest as encodeForOpenAi } from "../../../src/providers/openai/encode-request.ts";
import { makeCall } from "../../conformance/provider-calls.ts";
import { collectToolCalls, ProviderRecorder } from "../../conformance/provider-recorder.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeUpstream } from "../../support/fake-upstream.ts";
import { feedDecoder } from "./decode-answer.ts";

const JSON_TYPE = { "content-type": "application/json" };

function decode(...events: readonly object[]) {
  const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  return feedDecoder(openMessageDecoder({ attemptId: "attempt-1", httpStatus: 200 }), [body]);
}

const START = { type: "message_start", message: { model: "m", usage: { input_tokens: 3 } } };
const finish = (stop_reason: string) => [
  { type: "message_delta", delta: { stop_reason }, usage: { output_tokens: 2 } },
  { type: "message_stop" },
];
const text = (words: string) => ({ type: "content_block_delta", index: 0, delta: { text: words } });

describe("an answer of Anthropic", () => {
  const reasons: readonly [string, string][] = [
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["pause_turn", "stop"],
    ["max_tokens", "length"],
    ["refusal", "content_filter"],
    ["model_context_window_exceeded", "length"],
    ["something_new", "other"],
  ];
  for (const [word, wanted] of reasons) {
    it(`that ends with ${word} is told as ${wanted}`, () => {
      const { end } = decode(START, text("Hi"), ...finish(word));
      expect(end).to.include({ finishReason: wanted, rawFinishReason: word });
    });
  }

  it("is concluded by its stop reason: message_stop may be missing while the connection stays open", () => {
    const decoder = openMessageDecoder({ attemptId: "attempt-1", httpStatus: 200 });
    const push = (event: object) => decoder.push(Buffer.from(`data: ${JSON.stringify(event)}\n\n`));
    push(START);
    push(text("Hi"));
    expect(decoder.isConcluded).to.equal(false);
    push(finish("end_turn")[0] ?? {});
    expect(decoder).to.include({ isConcluded: true, end: undefined });
  });

  it("whose window was full before any text is a failure", () => {
    const { end } = decode(START, ...finish("model_context_window_exceeded"));
    expect(end).to.have.nested.property("failure.class", "context_length_exceeded");
  });

  it("counts the tokens that went to the cache as input too", () => {
    const usage = { input_tokens: 3, cache_read_input_tokens: 4, cache_creation_input_tokens: 5 };
    const { events } = decode({ type: "message_start", message: { usage } }, ...finish("end_turn"));
    expect(events.at(-1)).to.deep.equal({
      kind: "usage",
      usage: { inputTokens: 12, outputTokens: 2, cachedInputTokens: 4 },
    });
  });

  it("is read whole from a server that does not stream", () => {
    const content = [
      { type: "thinking", thinking: "hm" },
      { type: "text", text: "Hello" },
      { type: "tool_use", id: "t1", name: "add", input: { a: 2 } },
    ];
    const message = { type: "message", model: "m", content, stop_reason: "tool_use" };
    const body = JSON.stringify({ ...message, usage: { input_tokens: 3, output_tokens: 4 } });
    const decoder = openMessageDecoder({ attemptId: "a", httpStatus: 200 });
    const { events, end } = feedDecoder(decoder, [body]);
    expect(events.filter(({ kind }) => kind.endsWith("delta")).length).to.be.at.least(4);
    expect(collectToolCalls(events)).to.deep.equal([
      { callId: "t1", name: "add", arguments: '{"a":2}', isWellFormed: true },
    ]);
    expect(end).to.include({ kind: "completed", finishReason: "tool_calls" });
  });

  it("gives a call without arguments an empty object", () => {
    const block = { type: "tool_use", id: "t1", name: "now", input: {} };
    const { events } = decode(
      START,
      { type: "content_block_start", index: 0, content_block: block },
      { type: "content_block_stop", index: 0 },
      ...finish("tool_use"),
    );
    expect(collectToolCalls(events)[0]).to.include({ arguments: "{}", isWellFormed: true });
  });

  it("hands its signed thoughts to the caller with the call after them, and takes them back unchanged", () => {
    const block = (index: number, content_block: object, ...deltas: readonly object[]) => [
      { type: "content_block_start", index, content_block },
      ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
      { type: "content_block_stop", index },
    ];
    const call = (index: number, id: string) =>
      block(index, { type: "tool_use", id, name: "now", input: {} }, { partial_json: "{}" });
    const open = { type: "thinking", thinking: "", signature: "" };
    const { events } = decode(
      START,
      ...block(
        0,
        open,
        { thinking: "half \ud83d" },
        { thinking: "\ude00" },
        { signature: "c2ln" },
        { signature: "bmVk" },
      ),
      ...block(1, { type: "redacted_thinking", data: "aGlkZGVu" }),
      ...block(2, { type: "text", text: "" }, { text: "Looking." }),
      ...call(3, "t1"),
      ...block(4, open, { thinking: "nobody signed this" }),
      ...call(5, "t2"),
      ...block(6, open, { signature: "bGF0ZXI=" }),
      ...call(7, "t3"),
      ...finish("tool_use"),
    );
    const toolCalls = ["t1", "t2", "t3"].map((callId) => {
      const signed = events.find((event) => event.kind === "tool_call_delta" && event.callId === callId);
      const { thoughtSignature } = signed as { thoughtSignature?: string };
      const signature = thoughtSignature === undefined ? {} : { thoughtSignature };
      return { callId, name: "now", arguments: "{}", ...signature };
    });
    const messages: Message[] = [
      { role: "assistant", parts: [{ kind: "text", text: "Looking." }], toolCalls },
      { role: "tool", parts: [{ kind: "text", text: "noon" }], toolCallId: "t1" },
    ];
    const use = (id: string) => ({ type: "tool_use", id, name: "now", input: {} });
    const [assistant] = JSON.parse(encodeRequest(makeCall({ messages }))).messages;
    expect(assistant.content).to.deep.equal([
      { type: "thinking", thinking: "half 😀", signature: "c2lnbmVk" },
      { type: "redacted_thinking", data: "aGlkZGVu" },
      { type: "text", text: "Looking." },
      use("t1"),
      use("t2"),
      { type: "thinking", thinking: "", signature: "bGF0ZXI=" },
      use("t3"),
    ]);
    for (const encode of [encodeForGemini, encodeForOpenAi]) {
      expect(encode(makeCall({ messages }))).to.not.include("c2ln");
    }
  });

  it("passes over the input of the provider's own tools", () => {
    const { events, end } = decode(
      START,
      {
        type: "content_block_start",
        index: 0,
        content_block: { type: "server_tool_use", id: "s", name: "web_search" },
      },
      {
        type: "content_block_delta",
        index: 0,
        delta: { type: "input_json_delta", partial_json: '{"query":1}' },
      },
      { type: "content_block_stop", index: 0 },
      {
        type: "content_block_start",
        index: 1,
        content_block: { type: "web_search_tool_result", content: [] },
      },
      { type: "content_block_stop", index: 1 },
      { type: "content_block_start", index: 2, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 2, delta: { type: "text_delta", text: "Found." } },
      { type: "content_block_stop", index: 2 },
      ...finish("end_turn"),
    );
    expect(events.filter(({ kind }) => kind !== "usage")).to.deep.equal([
      { kind: "text_delta", text: "Found." },
    ]);
    expect(end).to.include({ kind: "completed", finishReason: "stop" });
    const lost = { type: "content_block_delta", index: 3, delta: { partial_json: "{}" } };
    expect(decode(START, lost, ...finish("end_turn")).end).to.include({ kind: "failed" });
  });

  it("that is torn is told as cut, wherever it is torn", () => {
    const block = { type: "tool_use", id: "t1", name: "now", input: {} };
    const torn = [
      decode(START, text("Hi")),
      decode(START, { type: "content_block_start", index: 0, content_block: block }, ...finish("tool_use")),
      decode(START, { type: "content_block_delta", index: 7, delta: { partial_json: "{" } }),
      decode(...finish("end_turn")),
      feedDecoder(openMessageDecoder({ attemptId: "a", httpStatus: 200 }), ["data: {]\n\n"]),
    ];
    for (const { end } of torn) expect(end).to.have.nested.property("failure.class", "stream_interrupted");
  });
});

describe("the Anthropic and Ollama providers over real HTTP", () => {
  let upstream: FakeUpstream;
  const clock = new FakeClock();
  const providers: Provider[] = [];

  beforeEach(async () => {
    upstream = await FakeUpstream.start();
  });
  afterEach(async () => {
    await Promise.all(providers.splice(0).map((provider) => provider.close()));
    await upstream.close();
  });

  async function ask(kind: "anthropic" | "ollama", status: number, body: object) {
    const config = {
      name: "acme",
      baseUrl: upstream.baseUrl,
      apiKey: new Secret("sk-test"),
      maxConnections: 1,
      connectTimeoutMs: 1_000,
    };
    const deps = { clock, userAgent: "sluice/1.2.3" };
    const provider =
      kind === "anthropic"
        ? createAnthropicProvider({ kind, ...config }, deps)
        : createOllamaProvider({ kind, ...config }, deps);
    providers.push(provider);
    upstream.script = (exchange) => exchange.answer(status, JSON_TYPE, JSON.stringify(body));
    const recorder = new ProviderRecorder();
    recorder.start(provider, makeCall());
    await eventually(() => expect(recorder.ends).to.have.length(1));
    return recorder;
  }

  it("send Anthropic's key and version in its own headers", async () => {
    const error = { type: "overloaded_error", message: "Overloaded" };
    const { failure } = await ask("anthropic", 529, { type: "error", error });
    expect(failure).to.include({ class: "overloaded", httpStatus: 529, providerCode: "overloaded_error" });
    const [exchange] = upstream.exchanges;
    expect(exchange?.path).to.equal("/v1/v1/messages");
    expect(exchange?.headers).to.include({ "x-api-key": "sk-test", "anthropic-version": "2023-06-01" });
    expect(exchange?.headers).to.not.have.property("authorization");
  });

  it("send Ollama's key, where there is one, as a bearer's, and read errors by its own rules", async () => {
    const { failure } = await ask("ollama", 502, { error: "cloud model unreachable" });
    expect(failure).to.include({ class: "model_unavailable", httpStatus: 502 });
    const [exchange] = upstream.exchanges;
    expect(exchange).to.include({ path: "/v1/api/chat" });
    expect(exchange?.headers).to.include({ authorization: "Bearer sk-test" });
  });

  it("never tell a code that holds the key", async () => {
    const named = await ask("anthropic", 401, {
      type: "error",
      error: { type: "sk-test", message: "no sk-test" },
    });
    expect(named.failure).to.deep.equal({ class: "auth", httpStatus: 401 });
  });

  it("fail at once, asking nobody, when Ollama has no words for the request", async () => {
    const provider = createOllamaProvider(
      {
        kind: "ollama",
        name: "o",
        baseUrl: upstream.baseUrl,
        apiKey: undefined,
        maxConnections: 1,
        connectTimeoutMs: 1_000,
      },
      { clock, userAgent: "sluice/1.2.3" },
    );
    providers.push(provider);
    const call = makeCall({ toolChoice: { kind: "required" } });
    const [told, aborted] = [new ProviderRecorder(), new ProviderRecorder()];
    told.start(provider, call);
    aborted.start(provider, call).abort();
    await eventually(() => expect(told.failure).to.include({ class: "invalid_request" }));
    expect(aborted.ends).to.deep.equal([]);
    expect(upstream.exchanges).to.deep.equal([]);
  });
});
