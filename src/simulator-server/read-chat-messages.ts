/** The parts of chat requests that OpenAI's dialect has in common with GLM's and, in the main, Ollama's. */

import type { ToolCall } from "../domain/event.ts";
import type { ContentPart, Message, Role, Tool, ToolChoice } from "../domain/request.ts";
import { isRecord } from "../lib/is-record.ts";
import { BadField, readList, readObject, readText } from "./field-reader.ts";

const ROLES: Readonly<Record<string, Role>> = {
  system: "system",
  developer: "system",
  user: "user",
  assistant: "assistant",
  tool: "tool",
};

/** Reads `messages`. Throws BadField. */
export function readChatMessages(value: unknown): readonly Message[] {
  return readList(value, "messages").map((each, index) => {
    const path = `messages[${index}]`;
    const message = readObject(each, path);
    const role = ROLES[readText(message.role, `${path}.role`)];
    if (role === undefined) {
      throw new BadField(`${path}.role is unknown; right would be ${Object.keys(ROLES).join(", ")}`);
    }
    const toolCalls = readToolCalls(message.tool_calls, `${path}.tool_calls`);
    return {
      role,
      parts: [...readContent(message.content, `${path}.content`), ...readImages(message.images, path)],
      ...(toolCalls.length === 0 ? {} : { toolCalls }),
      ...(typeof message.tool_call_id === "string" ? { toolCallId: message.tool_call_id } : {}),
    };
  });
}

function readContent(value: unknown, path: string): readonly ContentPart[] {
  if (value === undefined || value === null) return [];
  if (typeof value === "string") return [{ kind: "text", text: value }];
  return readList(value, path).map((each, index) => {
    const part = readObject(each, `${path}[${index}]`);
    if (part.type === "text") return { kind: "text", text: readText(part.text, `${path}[${index}].text`) };
    if (part.type === "image_url") return IMAGE;
    throw new BadField(`${path}[${index}].type is unknown; right would be text or image_url`);
  });
}

/** What a picture shows is nothing to a simulation; that there is one is counted. */
export const IMAGE: ContentPart = { kind: "image", source: { kind: "url", url: "" } };

/** Ollama's pictures stand beside the content. */
function readImages(value: unknown, path: string): readonly ContentPart[] {
  return readList(value, `${path}.images`).map(() => IMAGE);
}

function readToolCalls(value: unknown, path: string): readonly ToolCall[] {
  return readList(value, path).map((each, index) => {
    const call = readObject(each, `${path}[${index}]`);
    const made = readObject(call.function, `${path}[${index}].function`);
    return {
      callId: typeof call.id === "string" ? call.id : "",
      name: readText(made.name, `${path}[${index}].function.name`),
      arguments: typeof made.arguments === "string" ? made.arguments : JSON.stringify(made.arguments ?? {}),
    };
  });
}

/** Reads `tools`. Throws BadField. */
export function readChatTools(value: unknown): readonly Tool[] {
  return readList(value, "tools").map((each, index) => {
    const path = `tools[${index}].function`;
    const made = readObject(readObject(each, `tools[${index}]`).function, path);
    return {
      name: readText(made.name, `${path}.name`),
      description: typeof made.description === "string" ? made.description : "",
      ...(isRecord(made.parameters) ? { parameters: made.parameters } : {}),
    };
  });
}

/** Reads `tool_choice`; absent gives undefined. Throws BadField. */
export function readChatToolChoice(value: unknown): ToolChoice | undefined {
  if (value === undefined || value === null) return undefined;
  if (value === "auto" || value === "none" || value === "required") return { kind: value };
  if (isRecord(value) && isRecord(value.function)) {
    return { kind: "tool", name: readText(value.function.name, "tool_choice.function.name") };
  }
  throw new BadField("tool_choice is unknown; right would be auto, none, required or a function");
}
