import { expect } from "chai";
import type { RouteDecision } from "../../../src/domain/attempt.ts";
import { seededRandom } from "../../../src/lib/random.ts";
import { createOpenAiDoor } from "../../../src/openai/openai-door.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { makeDeployment, makeModel } from "./catalog.ts";
import { PLAIN_BODY } from "./decode-by-hand.ts";
import { FakeExchange } from "./fake-exchange.ts";
import { ScriptedRouter } from "./scripted-router.ts";

const CHAT_PATH = "/v1/chat/completions";

function open() {
  const router = new ScriptedRouter();
  const door = createOpenAiDoor({
    router,
    models: [makeModel("glm-4.6-flash", "zhipu"), makeModel("team/qwen", "acme")],
    targets: {
      groups: [],
      pools: [],
      chains: [],
      aliases: [{ name: "default-chat", target: "team/qwen", fallbacks: [] }],
    },
    clock: new FakeClock(),
    random: seededRandom(1),
  });
  const send = (exchange: FakeExchange) => {
    door.handle(exchange);
    return exchange;
  };
  return {
    router,
    door,
    send,
    chat: (members: Record<string, unknown> = {}) =>
      send(new FakeExchange("POST", CHAT_PATH, { ...PLAIN_BODY, ...members })),
  };
}

describe("the OpenAI door's paths", () => {
  it("serves what is under /v1 and nothing else", () => {
    const { door } = open();
    expect(["/v1", "/v1/models", "/v1/x"].map((path) => door.serves(path))).to.deep.equal([true, true, true]);
    expect(["/", "/v12", "/sluice.v1.RouterService/Generate"].some((path) => door.serves(path))).to.equal(
      false,
    );
  });

  it("lists automatic choice, the catalog and the other targets", () => {
    const exchange = open().send(new FakeExchange("GET", "/v1/models"));
    expect(JSON.parse(exchange.body)).to.deep.equal({
      object: "list",
      data: [
        { id: "auto", object: "model", created: 1_700_000_001, owned_by: "sluice" },
        { id: "glm-4.6-flash", object: "model", created: 1_700_000_001, owned_by: "zhipu" },
        { id: "team/qwen", object: "model", created: 1_700_000_001, owned_by: "acme" },
        { id: "default-chat", object: "model", created: 1_700_000_001, owned_by: "sluice" },
      ],
    });
  });

  for (const name of ["team/qwen", "team%2Fqwen", "sluice/team/qwen"]) {
    it(`finds a model by the path ${name}`, () => {
      const exchange = open().send(new FakeExchange("GET", `/v1/models/${name}`));
      expect(JSON.parse(exchange.body)).to.include({ id: "team/qwen" });
    });
  }

  it("finds a target that is no model", () => {
    const exchange = open().send(new FakeExchange("GET", "/v1/models/default-chat"));
    expect(JSON.parse(exchange.body)).to.include({ id: "default-chat", owned_by: "sluice" });
  });

  const refused: readonly [string, string, number, string][] = [
    ["GET", "/v1/models/gpt-4o", 404, "model_not_found"],
    ["GET", "/v1/models/%zz", 404, "model_not_found"],
    ["GET", "/v1/models/", 404, "unknown_url"],
    ["POST", "/v1/embeddings", 404, "unknown_url"],
    ["GET", "/v1", 404, "unknown_url"],
    ["GET", CHAT_PATH, 405, "method_not_allowed"],
    ["DELETE", "/v1/models/glm-4.6-flash", 405, "method_not_allowed"],
    ["POST", "/v1/models", 405, "method_not_allowed"],
  ];
  for (const [method, path, status, code] of refused) {
    it(`answers ${method} ${path} with ${status} ${code}`, () => {
      const exchange = open().send(new FakeExchange(method, path));
      expect(exchange.status).to.equal(status);
      expect(exchange.json.error).to.include({ type: "invalid_request_error", code });
      expect("allow" in exchange.headers).to.equal(status === 405);
    });
  }
});

describe("the OpenAI door before the router", () => {
  it("refuses other media types, so that no web page can post unasked", () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", ""]) {
      const { send, router } = open();
      const exchange = send(new FakeExchange("POST", CHAT_PATH, PLAIN_BODY, { "content-type": type }));
      expect(exchange.status).to.equal(415);
      expect(router.routes).to.be.empty;
    }
  });

  it("tells why a body could not be read", () => {
    const statuses = ["too_large", "cut_short", "unsupported_encoding"].map(
      (failure) => open().send(new FakeExchange("POST", CHAT_PATH, failure)).status,
    );
    expect(statuses).to.deep.equal([413, 400, 415]);
  });

  it("names the wrong parameter", () => {
    const { chat, router } = open();
    const exchange = chat({ messages: [{ role: "user", content: [{ type: "text" }] }] });
    expect(exchange.status).to.equal(400);
    expect(exchange.headers).to.include({ "x-sluice-reason": "INVALID_REQUEST", "x-should-retry": "false" });
    expect(exchange.json.error).to.deep.equal({
      message: "messages[0].content[0].text is required: a string",
      type: "invalid_request_error",
      param: "messages[0].content[0].text",
      code: "missing_required_parameter",
    });
    expect(router.routes).to.be.empty;
  });

  it("answers when deadline or shutdown come before the body, and not when the caller left", () => {
    const stop = (cause: "deadline" | "shutdown" | "caller_gone") => {
      const exchange = open().send(new FakeExchange("POST", CHAT_PATH));
      exchange.cancel(cause);
      return exchange.status;
    };
    expect([stop("deadline"), stop("shutdown"), stop("caller_gone")]).to.deep.equal([504, 503, 0]);
  });

  it("passes the edge's facts and the request on, and reads no key", () => {
    const { router, chat } = open();
    const exchange = chat({ model: "sluice/team/qwen" });
    expect(router.last.request.target).to.deep.equal({ kind: "model", model: "team/qwen" });
    expect(router.last.context).to.deep.equal({
      requestId: "request-1",
      traceparent: undefined,
      arrivedMs: 1_000,
      deadlineMs: 61_000,
    });
    expect(exchange.headerReads).not.to.contain("authorization");
  });
});

describe("the OpenAI door's whole answers", () => {
  it("tells how each attempt was decided when asked", () => {
    const { router, chat } = open();
    const decision: RouteDecision = {
      attemptNumber: 1,
      target: "auto",
      taskType: "reasoning",
      relaxed: ["min_success"],
      candidates: [
        {
          deployment: makeDeployment("glm-4.6-flash", "zhipu"),
          tier: "auto",
          chosen: true,
          removedBy: undefined,
          score: {
            score: 0.5,
            successRatio: 0.9,
            quality: 0.7,
            expectedMs: 1_200,
            expectedCostNanoUsd: undefined,
            headroomRatio: 1,
          },
        },
        {
          deployment: makeDeployment("team/qwen"),
          tier: "auto",
          chosen: false,
          removedBy: "breaker",
          score: undefined,
        },
      ],
    };
    const finish = (exchange: FakeExchange) => {
      router.last.start();
      router.last.finish({ decisions: [decision] });
      return exchange;
    };
    const { sluice } = JSON.parse(finish(chat({ sluice: { explain: true } })).body);
    expect(router.last.request.explain).to.equal(true);
    expect(sluice.decisions[0]).to.include({ attempt_number: 1, target: "auto", task_type: "reasoning" });
    const [chosen, removed] = sluice.decisions[0].candidates;
    expect(chosen).to.deep.include({ deployment: "zhipu/glm-4.6-flash", chosen: true, removed_by: null });
    expect(chosen.score).to.include({ score: 0.5, expected_ms: 1_200, expected_cost_nano_usd: null });
    expect(removed).to.include({ deployment: "acme/team/qwen", removed_by: "breaker", score: null });
    const { writes } = finish(chat({ stream: true, sluice: { explain: true } }));
    const last = writes
      .join("")
      .split("\n\n")
      .find((chunk) => chunk.includes('"finish_reason":"'));
    expect(JSON.parse(last?.slice("data: ".length) ?? "").sluice).to.deep.equal(sluice);
  });

  it("tells what was not carried as asked, in a header of whole answers and in every answer's member", () => {
    const { router, chat } = open();
    const adjustments = [
      { field: "sampling.temperature", asked: "1.5", used: "1", reason: "out_of_range" },
      { field: "messages.name", asked: "ann", used: "", reason: "not_supported" },
    ] as const;
    const finish = (exchange: FakeExchange) => {
      router.last.start();
      router.last.finish({ adjustments });
      return exchange;
    };
    const whole = finish(chat());
    expect(whole.headers["x-sluice-adjusted"]).to.equal("sampling.temperature, messages.name");
    expect(JSON.parse(whole.body).sluice).to.deep.equal({ adjustments });
    const { writes } = finish(chat({ stream: true }));
    const last = writes.join("").split("\n\n").at(-3) ?? "";
    expect(JSON.parse(last.slice("data: ".length)).sluice).to.deep.equal({ adjustments });
  });

  it("carries Gemini's signatures of calls to the caller and back", () => {
    const { router, chat } = open();
    const signed = { extra_content: { google: { thought_signature: "c2ln" } } };
    const message = (call: object) => ({ role: "assistant", tool_calls: [call] });
    const exchange = chat();
    router.last.start();
    router.last.send([
      {
        kind: "tool_call_delta",
        callId: "c",
        name: "f",
        argumentsDelta: "{}",
        last: true,
        thoughtSignature: "c2ln",
      },
    ]);
    router.last.finish();
    const [call] = JSON.parse(exchange.body).choices[0].message.tool_calls;
    expect(call).to.deep.include(signed);
    const result = { role: "tool", tool_call_id: "c", content: "1" };
    chat({ messages: [{ role: "user", content: "a" }, message(call), result] });
    expect(router.last.request.messages[1]?.toolCalls?.[0]?.thoughtSignature).to.equal("c2ln");
    const streamed = chat({ stream: true });
    router.last.start();
    router.last.send([
      { kind: "tool_call_delta", callId: "c", name: "f", argumentsDelta: "{}", last: false },
      {
        kind: "tool_call_delta",
        callId: "c",
        name: "",
        argumentsDelta: "",
        last: true,
        thoughtSignature: "c2ln",
      },
    ]);
    router.last.finish();
    expect(streamed.writes.join("")).to.include(JSON.stringify(signed).slice(1, -1));
  });

  it("collects text, reasoning and calls", () => {
    const { router, chat } = open();
    const exchange = chat({ tools: [{ type: "function", function: { name: "get_time", strict: true } }] });
    router.last.start();
    router.last.send([
      { kind: "reasoning_delta", text: "Hm" },
      { kind: "reasoning_delta", text: "." },
      { kind: "tool_call_delta", callId: "a", name: "get_time", argumentsDelta: "{", last: false },
    ]);
    router.last.send([
      { kind: "tool_call_delta", callId: "a", name: "", argumentsDelta: "}", last: true },
      { kind: "tool_call_delta", callId: "b", name: "get_time", argumentsDelta: "{}", last: true },
    ]);
    expect(exchange.steps).to.deep.equal([]);
    router.last.finish({ finishReason: "tool_calls", usage: { inputTokens: 3, outputTokens: 4 } });
    const body = JSON.parse(exchange.body);
    expect(body.id).to.match(/^chatcmpl-[A-Za-z0-9]{29}$/);
    expect(body).to.deep.equal({
      id: body.id,
      object: "chat.completion",
      created: 1_700_000_001,
      model: "glm-4.6-flash",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: null,
            refusal: null,
            reasoning_content: "Hm.",
            tool_calls: [
              { id: "a", type: "function", function: { name: "get_time", arguments: "{}" } },
              { id: "b", type: "function", function: { name: "get_time", arguments: "{}" } },
            ],
          },
          logprobs: null,
          finish_reason: "tool_calls",
        },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
    });
    expect(exchange.headers).to.deep.equal({
      "content-type": "application/json",
      "x-sluice-model": "glm-4.6-flash",
      "x-sluice-deployment": "zhipu/glm-4.6-flash",
      "x-sluice-attempts": "1",
      "x-sluice-not-enforced": "tools.function.strict",
    });
  });

  it("answers the old form in the old form", () => {
    const { router, chat } = open();
    const exchange = chat({ functions: [{ name: "get_time" }] });
    router.last.start();
    router.last.send([
      { kind: "tool_call_delta", callId: "a", name: "get_time", argumentsDelta: "{}", last: true },
      { kind: "tool_call_delta", callId: "b", name: "get_time", argumentsDelta: "{}", last: true },
    ]);
    router.last.finish({ finishReason: "tool_calls" });
    const [choice] = JSON.parse(exchange.body).choices;
    expect(choice.finish_reason).to.equal("function_call");
    expect(choice.message).to.deep.equal({
      role: "assistant",
      content: null,
      refusal: null,
      function_call: { name: "get_time", arguments: "{}" },
    });
  });

  it("says so when a simulation answers, and writes any name into headers", () => {
    const { router, chat } = open();
    const exchange = chat();
    router.last.start();
    router.last.finish({ deployment: makeDeployment("модель 1\r\nx: y", "sim", true) });
    expect(exchange.headers).to.include({ "x-sluice-simulated": "true" });
    expect(exchange.headers["x-sluice-model"]).to.match(/^[\x21-\x7e]+$/);
    expect(JSON.parse(exchange.body).model).to.equal("модель 1\r\nx: y");
  });

  it("answers a failure with its status, even inside route()", () => {
    const { router, chat } = open();
    router.script = (route) => route.fail({ reason: "UPSTREAM_QUOTA_EXHAUSTED", message: "used up" });
    const exchange = chat();
    expect(exchange.status).to.equal(429);
    expect(exchange.json.error).to.include({ code: "insufficient_quota", message: "used up" });
    expect(exchange.headers).to.include({ "x-should-retry": "false" });
  });

  it("cancels the route when the caller leaves, and then says nothing", () => {
    const { router, chat } = open();
    const exchange = chat();
    router.last.start();
    exchange.cancel("caller_gone");
    expect(router.last.cancels).to.deep.equal(["caller_gone"]);
    expect(exchange.steps).to.deep.equal([]);
  });

  it("answers 503 on shutdown and leaves the deadline to the router", () => {
    const { router, chat } = open();
    const exchange = chat();
    exchange.cancel("deadline");
    expect(exchange.steps).to.deep.equal([]);
    router.last.fail({ reason: "DEADLINE_EXCEEDED", message: "too late" });
    expect(exchange.status).to.equal(504);
    const drained = chat();
    drained.cancel("shutdown");
    expect(drained.status).to.equal(503);
    expect(router.last.cancels).to.deep.equal(["shutdown"]);
  });
});
