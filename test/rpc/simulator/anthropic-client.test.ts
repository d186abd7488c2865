import Anthropic from "@anthropic-ai/sdk";
import { expect } from "chai";
import type { RunningSimulator } from "../../../src/simulator-server/start-simulator.ts";
import { openSimulator } from "./open-simulator.ts";

const ASK = {
  model: "m",
  max_tokens: 500,
  messages: [{ role: "user" as const, content: "Hello" }],
};
const SCHEMA = { type: "object" as const, properties: { city: { type: "string" } }, required: ["city"] };

describe("the official Anthropic client on the simulator", () => {
  let simulator: RunningSimulator;

  afterEach(() => simulator.close());

  const connect = () =>
    new Anthropic({ baseURL: `http://127.0.0.1:${simulator.port}`, apiKey: "any", maxRetries: 0 });

  it("reads whole answers and streams alike", async () => {
    simulator = await openSimulator();
    const whole = await connect().messages.create(ASK);
    expect(textOf(whole)).to.match(/^\[simulated answer by m\]/);
    expect(whole.usage.output_tokens).to.equal(20);
    const streamed = await connect().messages.stream(ASK).finalMessage();
    expect(textOf(streamed)).to.equal(textOf(whole));
    expect(streamed.usage.output_tokens).to.equal(20);
    expect(streamed.stop_reason).to.equal("end_turn");
  });

  it("reads calls of tools", async () => {
    simulator = await openSimulator({ callsTools: true });
    const tools = [{ name: "weather", input_schema: SCHEMA }];
    const called = await connect()
      .messages.stream({ ...ASK, tools })
      .finalMessage();
    expect(called.stop_reason).to.equal("tool_use");
    expect(called.content[0]).to.deep.include({
      type: "tool_use",
      name: "weather",
      input: { city: "simulated" },
    });
  });

  it("takes errors with their status", async () => {
    simulator = await openSimulator({ faultRatios: { overloaded: 1 } });
    const failure = await connect()
      .messages.create(ASK)
      .catch((error: { status?: number }) => error);
    expect(failure).to.have.property("status", 529);
  });
});

function textOf({ content: [block] }: Anthropic.Message): string | undefined {
  return block?.type === "text" ? block.text : undefined;
}
