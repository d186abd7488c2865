import type { ContentPart, ImageSource, Message } from "../../domain/request.ts";
import { encodeBase64 } from "../http/encode-base64.ts";

/** A message as chat completions have it, ready for JSON. */
export type WireMessage = Readonly<Record<string, unknown>>;

/** Encodes one message. Our roles have the same names on the wire. */
export function encodeMessage(message: Message): WireMessage {
  return {
    role: message.role,
    content: encodeContent(message),
    ...(message.name !== undefined && { name: message.name }),
    ...(message.toolCalls !== undefined &&
      message.toolCalls.length > 0 && {
        tool_calls: message.toolCalls.map((call) => ({
          id: call.callId,
          type: "function",
          // Servers that read them into their template refuse what is no JSON.
          function: { name: call.name, arguments: call.arguments || "{}" },
        })),
      }),
    ...(message.toolCallId !== undefined && { tool_call_id: message.toolCallId }),
  };
}

/**
 * Text alone goes as one string, since GLM drops lists on assistant and tool messages
 * without a word; nothing is put between the parts. No parts at all is null.
 */
function encodeContent(message: Message): unknown {
  const { parts } = message;
  if (parts.length === 0) return message.toolCalls?.length ? null : "";
  if (parts.some((part) => part.kind === "image")) return parts.map(encodePart);
  return parts.map((part) => (part.kind === "text" ? part.text : "")).join("");
}

function encodePart(part: ContentPart): WireMessage {
  if (part.kind === "text") return { type: "text", text: part.text };
  const url = encodeImageUrl(part.source);
  return { type: "image_url", image_url: part.detail === undefined ? { url } : { url, detail: part.detail } };
}

function encodeImageUrl(source: ImageSource): string {
  if (source.kind === "url") return source.url;
  return `data:${source.mediaType};base64,${encodeBase64(source.data)}`;
}
