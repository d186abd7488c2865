import type { ResponseFormat, Sampling } from "../../domain/request.ts";
import { isRecord } from "../../lib/is-record.ts";
import type { ReadAsk } from "../dialect.ts";
import { readCount, readFlag, readObject, readText, readTexts } from "../field-reader.ts";
import { makeAsk } from "../make-ask.ts";
import { readChatMessages, readChatToolChoice, readChatTools } from "../read-chat-messages.ts";

/** Reads the body of a chat completion. Members that cannot change a simulation's answer are ignored. */
export function readChatRequest(body: unknown): ReadAsk {
  return makeAsk(() => {
    const chat = readObject(body, "the body");
    const toolChoice = readChatToolChoice(chat.tool_choice);
    const responseFormat = readResponseFormat(chat.response_format);
    const options = isRecord(chat.stream_options) ? chat.stream_options : {};
    return {
      model: readText(chat.model, "model"),
      isStream: readFlag(chat.stream, "stream", false),
      includesUsage: readFlag(options.include_usage, "stream_options.include_usage", false),
      messages: readChatMessages(chat.messages),
      sampling: readSampling(chat),
      tools: readChatTools(chat.tools),
      ...(toolChoice === undefined ? {} : { toolChoice }),
      ...(responseFormat === undefined ? {} : { responseFormat }),
    };
  });
}

function readSampling(chat: Readonly<Record<string, unknown>>): Sampling {
  const limit =
    readCount(chat.max_completion_tokens, "max_completion_tokens") ??
    readCount(chat.max_tokens, "max_tokens");
  const stopSequences = readTexts(chat.stop, "stop");
  return { stopSequences, ...(limit === undefined ? {} : { maxOutputTokens: limit }) };
}

function readResponseFormat(value: unknown): ResponseFormat | undefined {
  if (!isRecord(value)) return undefined;
  if (value.type === "json_object") return { kind: "json_object" };
  if (value.type !== "json_schema") return undefined;
  const format = readObject(value.json_schema, "response_format.json_schema");
  const schema = readObject(format.schema, "response_format.json_schema.schema");
  return { kind: "json_schema", name: String(format.name), schema, strict: format.strict === true };
}
