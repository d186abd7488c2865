import { systemClock } from "../../src/lib/clock.ts";
import { createOpenAiProvider } from "../../src/providers/openai/openai-provider.ts";
import { eventually } from "../support/eventually.ts";
import { FakeUpstream, type UpstreamExchange } from "../support/fake-upstream.ts";
import { makeCall } from "./provider-calls.ts";
import { describeProviderConformance, type ProviderScenario } from "./provider-conformance.ts";

/** Lets the event loop turn, so that what was written reaches the other side as a read of its own. */
function later(fn: () => void, turnCount = 20): void {
  if (turnCount === 0) fn();
  else setImmediate(() => later(fn, turnCount - 1));
}

function sendToolCall(exchange: UpstreamExchange, index: number, name: string): void {
  const send = (piece: unknown) => exchange.send({ choices: [{ index: 0, delta: { tool_calls: [piece] } }] });
  send({ index, id: `call_${index}`, type: "function", function: { name, arguments: "" } });
  send({ index, function: { arguments: '{"a":2,' } });
  send({ index, function: { arguments: '"b":3}' } });
}

const SCRIPTS: Readonly<Record<ProviderScenario, (exchange: UpstreamExchange) => void>> = {
  text(exchange) {
    exchange.begin();
    exchange.sendText("Hel");
    later(() => {
      exchange.sendText("lo");
      exchange.finish();
    });
  },
  tool_call(exchange) {
    exchange.begin();
    sendToolCall(exchange, 0, "add");
    exchange.finish("tool_calls");
  },
  parallel_tools(exchange) {
    exchange.begin();
    sendToolCall(exchange, 0, "add");
    sendToolCall(exchange, 1, "mul");
    exchange.finish("tool_calls");
  },
  json(exchange) {
    exchange.begin();
    for (const piece of ['{"a"', ":1", "}"]) exchange.sendText(piece);
    exchange.finish();
  },
  server_error(exchange) {
    exchange.answer(500, { "content-type": "application/json" }, '{"error":{"message":"boom"}}');
  },
  cut(exchange) {
    exchange.begin();
    exchange.sendText("Hel");
    later(() => exchange.reset());
  },
  silent(exchange) {
    exchange.begin();
  },
  endless(exchange) {
    exchange.begin();
    const pump = () => {
      if (exchange.isClientGone || exchange.response.destroyed) return;
      if (exchange.sendText("again and again ".repeat(50))) setImmediate(pump);
      else exchange.response.once("drain", pump);
    };
    pump();
  },
};

const SCENARIOS = new Set(Object.keys(SCRIPTS) as ProviderScenario[]);

describeProviderConformance("The OpenAI provider", SCENARIOS, async () => {
  const upstream = await FakeUpstream.start();
  const provider = createOpenAiProvider(
    {
      kind: "openai",
      name: "acme",
      baseUrl: upstream.baseUrl,
      apiKey: undefined,
      maxConnections: 4,
      connectTimeoutMs: 1_000,
    },
    { clock: systemClock, userAgent: "sluice/test" },
  );
  return {
    prepare(scenario) {
      upstream.script = SCRIPTS[scenario];
      return { provider, call: makeCall() };
    },
    until: (check) => eventually(check),
    letTimePass: () => new Promise((resolve) => later(resolve, 200)),
    isQuiet: () =>
      upstream.exchanges.every(({ response, isClientGone }) => response.writableEnded || isClientGone),
    async close() {
      await provider.close();
      await upstream.close();
    },
  };
});
