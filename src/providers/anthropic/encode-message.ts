import type { ContentPart, Message } from "../../domain/request.ts";
import { toArgumentsObject } from "../http/arguments-object.ts";
import { encodeBase64 } from "../http/encode-base64.ts";
import { decodeThoughts } from "./thought-signature.ts";

type Block = Readonly<Record<string, unknown>>;

/** A message as Anthropic has it, ready for JSON. */
export interface WireMessage {
  readonly role: "user" | "assistant";
  readonly content: readonly Block[];
}

/**
 * Encodes all messages but the system's. Neighbours of one role become one message:
 * the results of parallel tool calls must stand together in the user's next turn.
 */
export function encodeMessages(messages: readonly Message[]): readonly WireMessage[] {
  const encoded: { role: WireMessage["role"]; content: Block[] }[] = [];
  for (const message of messages) {
    if (message.role === "system") continue;
    const role = message.role === "assistant" ? "assistant" : "user";
    const content = message.role === "tool" ? [encodeToolResult(message)] : encodeContent(message);
    // A turn without content is refused, but other providers answer with one and callers send it back.
    if (content.length === 0) continue;
    const last = encoded.at(-1);
    if (last?.role === role) last.content.push(...content);
    else encoded.push({ role, content });
  }
  return encoded;
}

/** The text of the system's messages, wherever they stand; empty without any. */
export function encodeSystem(messages: readonly Message[]): string {
  return messages
    .filter(({ role }) => role === "system")
    .map((message) => joinText(message.parts))
    .join("\n\n");
}

/** Thoughts stand where they stood: those of the first call before everything, the others before their call. */
function encodeContent(message: Message): Block[] {
  // Empty text is refused.
  const parts = message.parts.filter((part) => part.kind === "image" || part.text !== "").map(encodePart);
  const calls = message.toolCalls ?? [];
  return [
    ...decodeThoughts(calls[0]?.thoughtSignature),
    ...parts,
    ...calls.flatMap((call, index) => [
      ...(index === 0 ? [] : decodeThoughts(call.thoughtSignature)),
      {
        type: "tool_use",
        id: encodeCallId(call.callId),
        name: call.name,
        input: toArgumentsObject(call.arguments),
      },
    ]),
  ];
}

function encodeToolResult(message: Message): Block {
  const text = joinText(message.parts);
  return {
    type: "tool_result",
    tool_use_id: encodeCallId(message.toolCallId ?? ""),
    ...(text !== "" && { content: text }),
  };
}

function encodePart(part: ContentPart): Block {
  if (part.kind === "text") return { type: "text", text: part.text };
  const { source } = part;
  if (source.kind === "url") return { type: "image", source: { type: "url", url: source.url } };
  const data = encodeBase64(source.data);
  return { type: "image", source: { type: "base64", media_type: source.mediaType, data } };
}

function joinText(parts: readonly ContentPart[]): string {
  return parts.map((part) => (part.kind === "text" ? part.text : "")).join("");
}

/** Ids of other providers may have characters that Anthropic refuses. */
function encodeCallId(id: string): string {
  return id.replace(/[^A-Za-z0-9_-]/g, "_");
}
