import { createAnthropicProvider } from "../../src/providers/anthropic/anthropic-provider.ts";
import type { UpstreamExchange } from "../support/fake-upstream.ts";
import type { DialectVoice } from "./dialect-scripts.ts";
import { HTTP_SCENARIOS, makeHttpRig } from "./http-rig.ts";
import { describeProviderConformance } from "./provider-conformance.ts";

function send(exchange: UpstreamExchange, type: string, members: object): boolean {
  return exchange.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`);
}

const VOICE: DialectVoice = {
  begin(exchange) {
    exchange.begin();
    const usage = { input_tokens: 7, output_tokens: 1 };
    send(exchange, "message_start", { message: { id: "msg_1", model: "upstream-1", content: [], usage } });
    send(exchange, "ping", {});
  },
  sendText: (exchange, text) =>
    send(exchange, "content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
  sendToolCall(exchange, index, name) {
    const block = { type: "tool_use", id: `toolu_${index}`, name, input: {} };
    send(exchange, "content_block_start", { index, content_block: block });
    for (const partial_json of ["", '{"a":2,', '"b":3}']) {
      send(exchange, "content_block_delta", { index, delta: { type: "input_json_delta", partial_json } });
    }
    send(exchange, "content_block_stop", { index });
  },
  finish(exchange, hasToolCalls) {
    const delta = { stop_reason: hasToolCalls ? "tool_use" : "end_turn" };
    send(exchange, "message_delta", { delta, usage: { output_tokens: 3 } });
    send(exchange, "message_stop", {});
    exchange.response.end();
  },
  errorBody: '{"type":"error","error":{"type":"api_error","message":"boom"}}',
};

describeProviderConformance("The Anthropic provider", HTTP_SCENARIOS, () =>
  makeHttpRig({
    stopWord: "end_turn",
    voice: VOICE,
    makeProvider: (config, deps) => createAnthropicProvider({ kind: "anthropic", ...config }, deps),
  }),
);
