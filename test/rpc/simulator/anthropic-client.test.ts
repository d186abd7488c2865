import { expect } from "chai";
import type { RunningSimulator } from "../../../src/simulator-server/start-simulator.ts";
import { openSimulator } from "./open-simulator.ts";

interface Block {
  readonly type: string;
  readonly text?: string;
  readonly name?: string;
  readonly input?: unknown;
}

interface AnthropicMessage {
  readonly content: readonly Block[];
  readonly stop_reason: string;
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number };
}

interface AnthropicClient {
  readonly messages: {
    create(request: object): Promise<AnthropicMessage>;
    stream(request: object): { finalMessage(): Promise<AnthropicMessage> };
  };
}

type AnthropicClass = new (options: object) => AnthropicClient;

/** A variable, so that the types do not need the package. */
const PACKAGE: string = "@anthropic-ai/sdk";

const Anthropic: AnthropicClass | undefined = await import(PACKAGE).then(
  (module) => module.default,
  () => undefined,
);

const ASK = { model: "m", max_tokens: 500, messages: [{ role: "user", content: "Hello" }] };
const SCHEMA = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

if (Anthropic === undefined) {
  after(() => console.log(`  Not run: the official Anthropic client (${PACKAGE} is not installed).`));
} else {
  describe("the official Anthropic client on the simulator", () => {
    let simulator: RunningSimulator;

    afterEach(() => simulator.close());

    const connect = () =>
      new Anthropic({ baseURL: `http://127.0.0.1:${simulator.port}`, apiKey: "any", maxRetries: 0 });

    it("reads whole answers and streams alike", async () => {
      simulator = await openSimulator();
      const whole = await connect().messages.create(ASK);
      expect(whole.content[0]?.text).to.match(/^\[simulated answer by m\]/);
      expect(whole.usage.output_tokens).to.equal(20);
      const streamed = await connect().messages.stream(ASK).finalMessage();
      expect(streamed.content[0]?.text).to.equal(whole.content[0]?.text);
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
}
