import { expect } from "chai";
import OpenAI from "openai";
import type { RunningSimulator } from "../../../src/simulator-server/start-simulator.ts";
import { openSimulator } from "./open-simulator.ts";

const SCHEMA = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const TOOL = {
  type: "function",
  function: { name: "weather", description: "", parameters: SCHEMA },
} as const;
const MESSAGES = [{ role: "user", content: "Hello" }] as const;

/** OpenAI's own client, for OpenAI's and GLM's paths. */
describe("the official openai client on the simulator", () => {
  let simulator: RunningSimulator;

  afterEach(() => simulator.close());

  const connect = (path: string) =>
    new OpenAI({ baseURL: `http://127.0.0.1:${simulator.port}${path}`, apiKey: "any", maxRetries: 0 });

  for (const path of ["/v1", "/api/paas/v4"]) {
    it(`reads whole answers, streams and calls of tools at ${path}`, async () => {
      simulator = await openSimulator({ callsTools: true });
      const client = connect(path);
      const whole = await client.chat.completions.create({ model: "m", messages: [...MESSAGES] });
      expect(whole.choices[0]?.message.content).to.match(/^\[simulated answer by m\]/);
      expect(whole.usage?.completion_tokens).to.equal(20);
      const stream = client.chat.completions.stream({
        model: "m",
        messages: [...MESSAGES],
        stream_options: { include_usage: true },
      });
      const streamed = await stream.finalChatCompletion();
      expect(streamed.choices[0]?.message.content).to.equal(whole.choices[0]?.message.content);
      expect(streamed.usage).to.deep.equal(whole.usage);
      const called = await client.chat.completions
        .stream({ model: "m", messages: [...MESSAGES], tools: [TOOL] })
        .finalChatCompletion();
      const call = called.choices[0]?.message.tool_calls?.[0];
      expect(called.choices[0]?.finish_reason).to.equal("tool_calls");
      expect(call?.type === "function" && JSON.parse(call.function.arguments)).to.deep.equal({
        city: "simulated",
      });
    });
  }

  it("takes errors as the classes they are meant to be", async () => {
    const classes = {
      auth: OpenAI.AuthenticationError,
      rate_limit: OpenAI.RateLimitError,
      model_unavailable: OpenAI.NotFoundError,
      server_error: OpenAI.InternalServerError,
      invalid_request: OpenAI.BadRequestError,
    };
    for (const [kind, type] of Object.entries(classes)) {
      simulator = await openSimulator({ faultRatios: { [kind]: 1 } });
      const failure = await connect("/v1")
        .chat.completions.create({ model: "m", messages: [...MESSAGES] })
        .catch((error: unknown) => error);
      expect(failure, kind).to.be.instanceOf(type);
      await simulator.close();
    }
  });

  it("lists the models", async () => {
    simulator = await openSimulator({ models: ["a", "b"] });
    const names = [];
    for await (const { id } of connect("/v1").models.list()) names.push(id);
    expect(names).to.deep.equal(["a", "b"]);
  });
});
