import type { FinishReason } from "../../domain/event.ts";

/** Says what Ollama's `done_reason` means: it stays `stop` after tool calls, and older servers leave it out. */
export function readFinishReason(word: string, hasToolCalls: boolean): FinishReason {
  if (word === "length") return "length";
  if (word !== "" && word !== "stop") return "other";
  return hasToolCalls ? "tool_calls" : "stop";
}
