import { createOllamaProvider } from "../../src/providers/ollama/ollama-provider.ts";
import type { UpstreamExchange } from "../support/fake-upstream.ts";
import type { DialectVoice } from "./dialect-scripts.ts";
import { HTTP_SCENARIOS, makeHttpRig } from "./http-rig.ts";
import { describeProviderConformance } from "./provider-conformance.ts";

function send(exchange: UpstreamExchange, message: object, rest: object = { done: false }): boolean {
  const line = { model: "upstream-1", message: { role: "assistant", ...message }, ...rest };
  return exchange.write(`${JSON.stringify(line)}\n`);
}

const VOICE: DialectVoice = {
  begin: (exchange) => exchange.begin(200, { "content-type": "application/x-ndjson" }),
  sendText: (exchange, content) => send(exchange, { content }),
  sendToolCall(exchange, _index, name) {
    send(exchange, { content: "", tool_calls: [{ function: { name, arguments: { a: 2, b: 3 } } }] });
  },
  finish(exchange) {
    const counts = { prompt_eval_count: 7, eval_count: 3 };
    send(exchange, { content: "" }, { done: true, done_reason: "stop", ...counts });
    exchange.response.end();
  },
  errorBody: '{"error":"boom"}',
};

describeProviderConformance("The Ollama provider", HTTP_SCENARIOS, () =>
  makeHttpRig({
    stopWord: "stop",
    voice: VOICE,
    makeProvider: (config, deps) => createOllamaProvider({ kind: "ollama", ...config }, deps),
  }),
);
