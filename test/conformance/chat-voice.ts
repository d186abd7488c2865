import type { UpstreamExchange } from "../support/fake-upstream.ts";
import type { DialectVoice } from "./dialect-scripts.ts";

function sendToolCall(exchange: UpstreamExchange, index: number, name: string): void {
  const send = (piece: unknown) => exchange.send({ choices: [{ index: 0, delta: { tool_calls: [piece] } }] });
  send({ index, id: `call_${index}`, type: "function", function: { name, arguments: "" } });
  send({ index, function: { arguments: '{"a":2,' } });
  send({ index, function: { arguments: '"b":3}' } });
}

/** Chat completions as OpenAI streams them. */
export const CHAT_VOICE: DialectVoice = {
  begin: (exchange) => exchange.begin(),
  sendText: (exchange, text) => exchange.sendText(text),
  sendToolCall,
  finish: (exchange, hasToolCalls) => exchange.finish(hasToolCalls ? "tool_calls" : "stop"),
  errorBody: '{"error":{"message":"boom"}}',
};

/** Zhipu's: calls come whole, the role stands on every delta, and its own code on failures. */
export const GLM_VOICE: DialectVoice = {
  ...CHAT_VOICE,
  sendText: (exchange, content) =>
    exchange.send({ model: "upstream-1", choices: [{ index: 0, delta: { role: "assistant", content } }] }),
  sendToolCall(exchange, index, name) {
    const call = { index, id: `call_${index}`, function: { name, arguments: '{"a":2,"b":3}' } };
    exchange.send({ choices: [{ index: 0, delta: { tool_calls: [call] } }] });
  },
  errorBody: '{"error":{"code":"500","message":"boom"}}',
};

/** OpenRouter's: comments before the first delta, and usage on a finish chunk that comes again. */
export const OPENROUTER_VOICE: DialectVoice = {
  ...CHAT_VOICE,
  begin(exchange) {
    exchange.begin();
    exchange.write(": OPENROUTER PROCESSING\n\n");
  },
  finish(exchange, hasToolCalls) {
    const reason = hasToolCalls ? "tool_calls" : "stop";
    exchange.send({ choices: [{ index: 0, delta: { content: "" }, finish_reason: reason }] });
    exchange.finish(reason);
  },
  errorBody: '{"error":{"code":500,"message":"boom","metadata":{"error_type":"server"}}}',
};
