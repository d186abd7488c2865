import type { GenerationEvent, ToolCall } from "../domain/event.ts";

/** The text and the tool calls of an answer. */
export interface GatheredAnswer {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
}

/** Joins the pieces of an answer. */
export function gatherAnswer(events: readonly GenerationEvent[]): GatheredAnswer {
  let text = "";
  const calls = new Map<string, ToolCall>();
  for (const event of events) {
    if (event.kind === "text_delta") text += event.text;
    if (event.kind !== "tool_call_delta") continue;
    const before = calls.get(event.callId);
    calls.set(event.callId, {
      callId: event.callId,
      name: before?.name ?? event.name,
      arguments: (before?.arguments ?? "") + event.argumentsDelta,
    });
  }
  return { text, toolCalls: [...calls.values()] };
}
