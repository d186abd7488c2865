import type { GenerationEvent } from "../../domain/event.ts";

/** Writes the events of one stream as deltas of OpenAI's chat completions. */
export class ChatStreamDeltas {
  readonly #callIds: string[] = [];

  /** The `delta` that tells an event; undefined where there is nothing to tell. */
  write(event: GenerationEvent): object | undefined {
    if (event.kind === "text_delta") return { content: event.text };
    if (event.kind !== "tool_call_delta") return undefined;
    const known = this.#callIds.indexOf(event.callId);
    const index = known >= 0 ? known : this.#callIds.push(event.callId) - 1;
    const opening = known >= 0 ? {} : { id: event.callId, type: "function" };
    const name = known >= 0 ? {} : { name: event.name };
    return {
      tool_calls: [{ index, ...opening, function: { ...name, arguments: event.argumentsDelta } }],
    };
  }
}
