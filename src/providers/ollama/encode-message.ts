import type { Message } from "../../domain/request.ts";
import { toArgumentsObject } from "../http/arguments-object.ts";
import { encodeBase64 } from "../http/encode-base64.ts";

/** A message as Ollama has it, ready for JSON. */
export type WireMessage = Readonly<Record<string, unknown>>;

/** Encodes the messages; results of tools name the tool, which is looked up by the id of its call. */
export function encodeMessages(messages: readonly Message[]): readonly WireMessage[] {
  const toolNames = new Map<string, string>();
  return messages.map((message) => {
    for (const { callId, name } of message.toolCalls ?? []) toolNames.set(callId, name);
    return encodeMessage(message, toolNames);
  });
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
