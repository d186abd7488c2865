import type { Message } from "../../domain/request.ts";
import { toArgumentsObject } from "../http/arguments-object.ts";
import { encodeBase64 } from "../http/encode-base64.ts";

/** A message as Ollama has it, ready for JSON. */
export type WireMessage = Readonly<Record<string, unknown>>;

/**
 * Encodes the messages; results of tools name the tool, which is looked up by the id of its call.
 * The ids themselves do not go out, so results of one turn stand in the order of its calls.
 */
export function encodeMessages(messages: readonly Message[]): readonly WireMessage[] {
  const toolNames = new Map<string, string>();
  let results: Message[] = [];
  const encoded: WireMessage[] = [];
  const addResults = () => {
    const callIds = [...toolNames.keys()];
    const place = ({ toolCallId = "" }: Message) => callIds.indexOf(toolCallId);
    for (const result of results.toSorted((a, b) => place(a) - place(b))) {
      encoded.push(encodeMessage(result, toolNames));
    }
    results = [];
  };
  for (const message of messages) {
    if (message.role === "tool") {
      results.push(message);
      continue;
    }
    addResults();
    for (const { callId, name } of message.toolCalls ?? []) {
      // Ids may come again in a later turn: its order holds then.
      toolNames.delete(callId);
      toolNames.set(callId, name);
    }
    encoded.push(encodeMessage(message, toolNames));
  }
  addResults();
  return encoded;
}

function encodeMessage(message: Message, toolNames: ReadonlyMap<string, string>): WireMessage {
  const images = message.parts.flatMap((part) =>
    part.kind === "image" && part.source.kind === "data" ? [encodeBase64(part.source.data)] : [],
  );
  const toolName = toolNames.get(message.toolCallId ?? "");
  return {
    role: message.role,
    content: message.parts.map((part) => (part.kind === "text" ? part.text : "")).join(""),
    ...(images.length > 0 && { images }),
    ...(message.toolCalls !== undefined &&
      message.toolCalls.length > 0 && {
        tool_calls: message.toolCalls.map(({ name, arguments: text }) => ({
          function: { name, arguments: toArgumentsObject(text) },
        })),
      }),
    ...(toolName !== undefined && { tool_name: toolName }),
  };
}
