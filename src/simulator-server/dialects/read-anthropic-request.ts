import type { ToolCall } from "../../domain/event.ts";
import type { ContentPart, Message, Tool, ToolChoice } from "../../domain/request.ts";
import { isRecord } from "../../lib/is-record.ts";
import type { ReadAsk } from "../dialect.ts";
import { BadField, readCount, readFlag, readList, readObject, readText, readTexts } from "../field-reader.ts";
import { makeAsk, textMessage } from "../make-ask.ts";
import { IMAGE } from "../read-chat-messages.ts";

/** Reads the body of a Messages request. */
export function readAnthropicRequest(body: unknown): ReadAsk {
  return makeAsk(() => {
    const ask = readObject(body, "the body");
    const maxOutputTokens = readCount(ask.max_tokens, "max_tokens");
    if (maxOutputTokens === undefined) throw new BadField("max_tokens: Field required");
    const toolChoice = readToolChoice(ask.tool_choice);
    const system = readSystem(ask.system);
    return {
      model: readText(ask.model, "model"),
      isStream: readFlag(ask.stream, "stream", false),
      includesUsage: true,
      messages: [
        ...(system === "" ? [] : [textMessage("system", system)]),
        ...readList(ask.messages, "messages").flatMap(readMessage),
      ],
      sampling: { maxOutputTokens, stopSequences: readTexts(ask.stop_sequences, "stop_sequences") },
      tools: readList(ask.tools, "tools").map(readTool),
      ...(toolChoice === undefined ? {} : { toolChoice }),
    };
  });
}

function readSystem(value: unknown): string {
  if (typeof value === "string") return value;
  return readList(value, "system")
    .map((each, index) => readText(readObject(each, `system[${index}]`).text, `system[${index}].text`))
    .join("\n");
}

/** Results of tools stand in a user's message; they become messages of their own. */
function readMessage(value: unknown, index: number): readonly Message[] {
  const path = `messages[${index}]`;
  const message = readObject(value, path);
  const { role, content } = message;
  if (role !== "user" && role !== "assistant") {
    throw new BadField(`${path}.role is unknown; right would be user or assistant`);
  }
  if (typeof content === "string") return [textMessage(role, content)];
  const parts: ContentPart[] = [];
  const toolCalls: ToolCall[] = [];
  const results: Message[] = [];
  for (const [blockIndex, each] of readList(content, `${path}.content`).entries()) {
    const at = `${path}.content[${blockIndex}]`;
    const block = readObject(each, at);
    if (block.type === "text") parts.push({ kind: "text", text: readText(block.text, `${at}.text`) });
    else if (block.type === "image") parts.push(IMAGE);
    else if (block.type === "tool_use") {
      const callId = readText(block.id, `${at}.id`);
      const name = readText(block.name, `${at}.name`);
      toolCalls.push({ callId, name, arguments: JSON.stringify(block.input ?? {}) });
    } else if (block.type === "tool_result") {
      const toolCallId = readText(block.tool_use_id, `${at}.tool_use_id`);
      results.push({ ...textMessage("tool", JSON.stringify(block.content ?? "")), toolCallId });
    }
  }
  if (parts.length === 0 && toolCalls.length === 0) return results;
  return [...results, { role, parts, ...(toolCalls.length === 0 ? {} : { toolCalls }) }];
}

function readTool(value: unknown, index: number): Tool {
  const tool = readObject(value, `tools[${index}]`);
  return {
    name: readText(tool.name, `tools[${index}].name`),
    description: typeof tool.description === "string" ? tool.description : "",
    ...(isRecord(tool.input_schema) ? { parameters: tool.input_schema } : {}),
  };
}

function readToolChoice(value: unknown): ToolChoice | undefined {
  if (value === undefined || value === null) return undefined;
  const { type, name } = readObject(value, "tool_choice");
  if (type === "auto" || type === "none") return { kind: type };
  if (type === "any") return { kind: "required" };
  if (type === "tool") return { kind: "tool", name: readText(name, "tool_choice.name") };
  throw new BadField("tool_choice.type is unknown; right would be auto, any, tool or none");
}
