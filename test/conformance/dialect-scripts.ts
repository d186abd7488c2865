import type { UpstreamExchange, UpstreamScript } from "../support/fake-upstream.ts";
import type { ProviderScenario } from "./provider-conformance.ts";

/** How a dialect puts an answer on the wire. */
export interface DialectVoice {
  begin(exchange: UpstreamExchange): void;
  /** One delta of text; false when the client does not read fast enough. */
  sendText(exchange: UpstreamExchange, text: string): boolean;
  /** One whole call of `name` with the arguments `a` and `b`. */
  sendToolCall(exchange: UpstreamExchange, index: number, name: string): void;
  /** Tells usage and the end, and closes. */
  finish(exchange: UpstreamExchange, hasToolCalls: boolean): void;
  /** The body of an answer with status 500. */
  readonly errorBody: string;
}

/** Lets the event loop turn, so that what was written reaches the other side as a read of its own. */
export function later(fn: () => void, turnCount = 20): void {
  if (turnCount === 0) fn();
  else setImmediate(() => later(fn, turnCount - 1));
}

/** The scripts of all scenarios, spoken in one dialect. */
export function scriptDialect(voice: DialectVoice): Readonly<Record<ProviderScenario, UpstreamScript>> {
  const say = (exchange: UpstreamExchange, texts: readonly string[]) => {
    voice.begin(exchange);
    for (const text of texts) voice.sendText(exchange, text);
  };
  return {
    text(exchange) {
      say(exchange, ["Hel"]);
      later(() => {
        voice.sendText(exchange, "lo");
        voice.finish(exchange, false);
      });
    },
    tool_call(exchange) {
      say(exchange, []);
      voice.sendToolCall(exchange, 0, "add");
      voice.finish(exchange, true);
    },
    parallel_tools(exchange) {
      say(exchange, []);
      voice.sendToolCall(exchange, 0, "add");
      voice.sendToolCall(exchange, 1, "mul");
      voice.finish(exchange, true);
    },
    json(exchange) {
      say(exchange, ['{"a"', ":1", "}"]);
      voice.finish(exchange, false);
    },
    server_error(exchange) {
      exchange.answer(500, { "content-type": "application/json" }, voice.errorBody);
    },
    cut(exchange) {
      say(exchange, ["Hel"]);
      later(() => exchange.reset());
    },
    silent: (exchange) => voice.begin(exchange),
    endless(exchange) {
      voice.begin(exchange);
      const pump = () => {
        if (exchange.isClientGone || exchange.response.destroyed) return;
        if (voice.sendText(exchange, "again and again ".repeat(50))) setImmediate(pump);
        else exchange.response.once("drain", pump);
      };
      pump();
    },
  };
}
