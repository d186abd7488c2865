import { expect } from "chai";
import OpenAI, { APIError } from "openai";
import { systemClock } from "../../../src/lib/clock.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { createOpenAiDoor } from "../../../src/openai/openai-door.ts";
import { eventually } from "../../support/eventually.ts";
import { makeModel } from "../../unit/openai/catalog.ts";
import { ScriptedRouter } from "../../unit/openai/scripted-router.ts";
import { type DoorServer, serveDoor } from "./node-exchange.ts";

const MESSAGES = [{ role: "user" as const, content: "What time is it?" }];
const TOOLS = [
  {
    type: "function" as const,
    function: { name: "get_time", parameters: { type: "object", properties: { zone: { type: "string" } } } },
  },
];

async function catchError(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("the official OpenAI client", () => {
  let router: ScriptedRouter;
  let server: DoorServer;
  let client: OpenAI;

  beforeEach(async () => {
    router = new ScriptedRouter();
    const models = [makeModel("glm-4.6-flash"), makeModel("team/qwen")];
    server = await serveDoor(createOpenAiDoor({ router, models, clock: systemClock, random: systemRandom }));
    client = new OpenAI({ baseURL: server.baseUrl, apiKey: "sk-secret", maxRetries: 0 });
  });

  afterEach(() => server.close());

  it("gets a whole answer", async () => {
    router.script = (route) => {
      setImmediate(() => {
        route.start();
        route.send([{ kind: "text_delta", text: "Noon – 正午." }]);
        route.finish({ usage: { inputTokens: 5, outputTokens: 4 } });
      });
    };
    const call = client.chat.completions.create({ model: "auto", messages: MESSAGES, temperature: 0.5 });
    const { data, response } = await call.withResponse();
    expect(data.choices[0]?.message.content).to.equal("Noon – 正午.");
    expect(data.choices[0]?.finish_reason).to.equal("stop");
    expect(data.usage?.total_tokens).to.equal(9);
    expect(response.headers.get("x-sluice-model")).to.equal("glm-4.6-flash");
    expect(router.last.request.sampling).to.deep.equal({ temperature: 0.5 });
    expect(JSON.stringify(router.last)).not.to.contain("sk-secret");
  });

  it("gets a stream with usage", async () => {
    router.script = (route) => {
      setImmediate(() => {
        route.start();
        for (const text of ["No", "on", "."]) route.send([{ kind: "text_delta", text }]);
        route.finish({ usage: { inputTokens: 5, outputTokens: 3 } });
      });
    };
    const stream = await client.chat.completions.create({
      model: "glm-4.6-flash",
      messages: MESSAGES,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let totalTokens = 0;
    const reasons: unknown[] = [];
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      if (chunk.choices[0]?.finish_reason) reasons.push(chunk.choices[0].finish_reason);
      totalTokens = chunk.usage?.total_tokens ?? totalTokens;
    }
    expect({ text, totalTokens, reasons }).to.deep.equal({
      text: "Noon.",
      totalTokens: 8,
      reasons: ["stop"],
    });
  });

  it("runs tools through its own agent loop, over streams", async () => {
    router.script = (route) => {
      const isSecond = route.request.messages.some((message) => message.role === "tool");
      setImmediate(() => {
        route.start();
        if (isSecond) {
          route.send([{ kind: "text_delta", text: "It is noon." }]);
          route.finish();
          return;
        }
        const call = { kind: "tool_call_delta", callId: "call_1" } as const;
        route.send([{ ...call, name: "get_time", argumentsDelta: '{"zone":', last: false }]);
        route.send([{ ...call, name: "", argumentsDelta: '"UTC"}', last: true }]);
        route.finish({ finishReason: "tool_calls" });
      });
    };
    const zones: unknown[] = [];
    const runner = client.chat.completions.runTools({
      model: "auto",
      messages: MESSAGES,
      stream: true,
      tools: [
        {
          type: "function",
          function: {
            name: "get_time",
            description: "Tells the time.",
            parameters: { type: "object", properties: { zone: { type: "string" } } },
            parse: JSON.parse,
            function: (args: { zone: string }) => {
              zones.push(args.zone);
              return "";
            },
          },
        },
      ],
    });
    expect(await runner.finalContent()).to.equal("It is noon.");
    expect(zones).to.deep.equal(["UTC"]);
    expect(router.last.request.messages.slice(1)).to.deep.equal([
      {
        role: "assistant",
        parts: [],
        toolCalls: [{ callId: "call_1", name: "get_time", arguments: '{"zone":"UTC"}' }],
      },
      { role: "tool", parts: [], toolCallId: "call_1" },
    ]);
  });

  it("gets tool calls in a whole answer", async () => {
    router.script = (route) => {
      setImmediate(() => {
        const call = { kind: "tool_call_delta", callId: "call_1", name: "get_time" } as const;
        route.start();
        route.send([{ ...call, argumentsDelta: "{}", last: true }]);
        route.finish({ finishReason: "tool_calls" });
      });
    };
    const answer = await client.chat.completions.create({ model: "auto", messages: MESSAGES, tools: TOOLS });
    expect(answer.choices[0]?.message.tool_calls).to.deep.equal([
      { id: "call_1", type: "function", function: { name: "get_time", arguments: "{}" } },
    ]);
  });

  it("throws its own classes of errors", async () => {
    const ask = (content = "hi") =>
      client.chat.completions.create({ model: "x", messages: [{ role: "user", content }] });
    const bad = await catchError(ask(""));
    expect(bad).to.be.instanceOf(OpenAI.BadRequestError);
    expect(bad).to.include({ param: "messages[0].content", code: "invalid_value" });

    router.script = (route) => route.fail({ reason: "MODEL_NOT_FOUND", message: "no such model" });
    const missing = await catchError(ask());
    expect(missing).to.be.instanceOf(OpenAI.NotFoundError);
    expect(missing).to.include({ code: "model_not_found", param: "model" });

    router.script = (route) => route.fail({ reason: "UPSTREAM_RATE_LIMITED", message: "slow down" });
    expect(await catchError(ask())).to.be.instanceOf(OpenAI.RateLimitError);

    router.script = (route) => route.fail({ reason: "UPSTREAM_AUTH", message: "the operator must act" });
    const upstream = await catchError(ask());
    expect(upstream).to.be.instanceOf(OpenAI.InternalServerError);
    expect(upstream).to.include({ status: 502, code: "upstream_auth" });
  });

  it("tries again where that may help, and not where it cannot", async () => {
    const patient = new OpenAI({ baseURL: server.baseUrl, apiKey: "k", maxRetries: 2 });
    const ask = () => patient.chat.completions.create({ model: "x", messages: MESSAGES });
    router.script = (route) =>
      route.fail({ reason: "UPSTREAM_OVERLOADED", message: "overloaded", retryAfterMs: 1 });
    await catchError(ask());
    expect(router.routes).to.have.length(3);
    router.script = (route) => route.fail({ reason: "UPSTREAM_QUOTA_EXHAUSTED", message: "used up" });
    await catchError(ask());
    expect(router.routes).to.have.length(4);
  });

  it("learns that a stream broke off", async () => {
    router.script = (route) => {
      setImmediate(() => {
        route.start();
        route.send([{ kind: "text_delta", text: "No" }]);
        route.fail({ reason: "STREAM_INTERRUPTED", message: "the answer broke off" });
      });
    };
    const stream = await client.chat.completions.create({ model: "auto", messages: MESSAGES, stream: true });
    let text = "";
    const error = await catchError(
      (async () => {
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
      })(),
    );
    expect(text).to.equal("No");
    expect(error).to.be.instanceOf(APIError);
    expect(error).to.include({ code: "stream_interrupted" });
  });

  it("leaves a connection without a clean end when a stream broke off", async () => {
    router.script = (route) => {
      setImmediate(() => {
        route.start();
        route.send([{ kind: "text_delta", text: "No" }]);
        route.fail({ reason: "STREAM_INTERRUPTED", message: "the answer broke off" });
      });
    };
    const response = await fetch(`${server.baseUrl}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "auto", messages: MESSAGES, stream: true }),
    });
    expect(await catchError(response.text())).to.be.instanceOf(TypeError);
  });

  for (const stream of [false, true]) {
    it(`stops the route when it gives up a ${stream ? "stream" : "whole answer"}`, async () => {
      const controller = new AbortController();
      const answer = catchError(
        client.chat.completions.create(
          { model: "auto", messages: MESSAGES, stream },
          { signal: controller.signal },
        ),
      );
      await eventually(() => router.last.start());
      controller.abort();
      expect(await answer).to.be.instanceOf(OpenAI.APIUserAbortError);
      await eventually(() => expect(router.last.cancels).to.deep.equal(["caller_gone"]));
    });
  }

  it("stops the route when it leaves a stream in the middle", async () => {
    router.script = (route) => {
      setImmediate(() => {
        route.start();
        route.send([{ kind: "text_delta", text: "No" }]);
      });
    };
    const stream = await client.chat.completions.create({ model: "auto", messages: MESSAGES, stream: true });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content === "No") break;
    }
    await eventually(() => expect(router.last.cancels).to.deep.equal(["caller_gone"]));
  });

  it("lists and finds models", async () => {
    const names: string[] = [];
    for await (const model of client.models.list()) names.push(model.id);
    expect(names).to.deep.equal(["auto", "glm-4.6-flash", "team/qwen"]);
    expect(await client.models.retrieve("team/qwen")).to.include({ id: "team/qwen", object: "model" });
    expect(await catchError(client.models.retrieve("gpt-4o"))).to.be.instanceOf(OpenAI.NotFoundError);
  });
});
