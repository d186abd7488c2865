/** The conversation. */

import type { ToolCall } from "../domain/event.ts";
import type { Message } from "../domain/request.ts";
import { decodeContent } from "./decode-content.ts";
import type { Faults } from "./fault.ts";
import {
  isAbsent,
  type JsonObject,
  NAME_RULE,
  readArray,
  readChoice,
  readObject,
  readString,
} from "./read-value.ts";

/** The most messages of a request (generation.proto). */
const MAX_MESSAGE_COUNT = 1_000;

/** The most calls one assistant message may repeat; only a bound on work. */
const MAX_CALL_COUNT = 1_000;

/** Ids and names that a model made up are passed back as they are, within reason. */
const ID_RULE = { minLength: 1, maxLength: 256 } as const;

const ROLES = ["system", "developer", "user", "assistant", "tool", "function"] as const;

const KNOWN: Readonly<Record<(typeof ROLES)[number], readonly string[]>> = {
  system: ["role", "content", "name"],
  developer: ["role", "content", "name"],
  user: ["role", "content", "name"],
  // The last four are what clients send back of an answer; they are not part of what was said.
  assistant: [
    "role",
    "content",
    "name",
    "refusal",
    "tool_calls",
    "function_call",
    "annotations",
    "reasoning_content",
    "reasoning",
    "parsed",
  ],
  tool: ["role", "content", "name", "tool_call_id"],
  function: ["role", "content", "name"],
};

/** Reads `messages`, 1 to 1,000 of them. */
export function decodeMessages(value: unknown, faults: Faults): readonly Message[] | undefined {
  const entries = readArray(value, "messages", faults, MAX_MESSAGE_COUNT);
  if (entries === undefined) return undefined;
  if (entries.length === 0) {
    return faults.add("invalid_value", "messages", "is empty; at least one message is needed");
  }
  const messages: Message[] = [];
  for (const [index, entry] of entries.entries()) {
    if (faults.isFull) return undefined;
    const message = decodeMessage(entry, `messages[${index}]`, messages, faults);
    if (message !== undefined) messages.push(message);
  }
  return messages.length === entries.length ? messages : undefined;
}

function decodeMessage(
  value: unknown,
  param: string,
  earlier: readonly Message[],
  faults: Faults,
): Message | undefined {
  const entry = readObject(value, param, faults);
  if (entry === undefined) return undefined;
  const role = readChoice(entry.role, `${param}.role`, faults, ROLES);
  if (role === undefined) return undefined;
  readObject(entry, param, faults, KNOWN[role]);
  switch (role) {
    case "system":
    case "developer":
      return decodeSpoken(entry, "system", param, faults);
    case "user":
      return decodeSpoken(entry, "user", param, faults);
    case "assistant":
      return decodeAssistant(entry, param, earlier.length, faults);
    case "tool":
      return decodeToolResult(entry, param, faults);
    case "function":
      return decodeFunctionResult(entry, param, earlier, faults);
  }
}

function decodeSpoken(
  entry: JsonObject,
  role: "system" | "user",
  param: string,
  faults: Faults,
): Message | undefined {
  const parts = decodeContent(entry.content, `${param}.content`, faults, {
    types: role === "user" ? ["text", "image_url"] : ["text"],
    mayBeEmpty: false,
  });
  const name = decodeName(entry, param, faults);
  return parts === undefined ? undefined : { role, parts, ...name };
}

function decodeAssistant(
  entry: JsonObject,
  param: string,
  place: number,
  faults: Faults,
): Message | undefined {
  const toolCalls = isAbsent(entry.function_call)
    ? decodeToolCalls(entry.tool_calls, `${param}.tool_calls`, faults)
    : decodeFunctionCall(entry, param, place, faults);
  if (toolCalls === undefined) return undefined;
  const hasRefusal = !isAbsent(entry.refusal) && isAbsent(entry.content);
  const field = hasRefusal ? "refusal" : "content";
  const parts = decodeContent(entry[field], `${param}.${field}`, faults, {
    types: ["text", "refusal"],
    mayBeEmpty: toolCalls.length > 0,
  });
  const name = decodeName(entry, param, faults);
  if (parts === undefined) return undefined;
  return { role: "assistant", parts, ...name, ...(toolCalls.length > 0 ? { toolCalls } : {}) };
}

function decodeToolCalls(value: unknown, param: string, faults: Faults): readonly ToolCall[] | undefined {
  if (isAbsent(value)) return [];
  const entries = readArray(value, param, faults, MAX_CALL_COUNT);
  if (entries === undefined) return undefined;
  const calls: ToolCall[] = [];
  for (const [index, entry] of entries.entries()) {
    const path = `${param}[${index}]`;
    // `index` is what some clients leave in when they put a stream together.
    const call = readObject(entry, path, faults, ["id", "type", "function", "index", "extra_content"]);
    if (call === undefined) return undefined;
    if (!isAbsent(call.type)) readChoice(call.type, `${path}.type`, faults, ["function"]);
    const callId = readString(call.id, `${path}.id`, faults, ID_RULE);
    const called = decodeCalled(call.function, `${path}.function`, faults);
    if (callId === undefined || called === undefined) return undefined;
    calls.push({ callId, ...called, ...decodeSignature(call, path, faults) });
  }
  return calls;
}

/** `extra_content.google.thought_signature`, as Gemini's own endpoint has it. */
function decodeSignature(
  call: JsonObject,
  param: string,
  faults: Faults,
): { readonly thoughtSignature?: string } {
  if (isAbsent(call.extra_content)) return {};
  const path = `${param}.extra_content`;
  const google = readObject(call.extra_content, path, faults, ["google"])?.google;
  if (isAbsent(google)) return {};
  const signed = readObject(google, `${path}.google`, faults, ["thought_signature"]);
  if (isAbsent(signed?.thought_signature)) return {};
  const signature = readString(signed?.thought_signature, `${path}.google.thought_signature`, faults);
  return signature === undefined ? {} : { thoughtSignature: signature };
}

function decodeFunctionCall(
  entry: JsonObject,
  param: string,
  place: number,
  faults: Faults,
): readonly ToolCall[] | undefined {
  const path = `${param}.function_call`;
  if (!isAbsent(entry.tool_calls)) {
    return faults.add("invalid_value", path, "cannot stand beside tool_calls; send one of the two");
  }
  const called = decodeCalled(entry.function_call, path, faults);
  // The old form has no ids; the place in the conversation makes one.
  return called === undefined ? undefined : [{ callId: `function_call_${place}`, ...called }];
}

function decodeCalled(
  value: unknown,
  param: string,
  faults: Faults,
): { readonly name: string; readonly arguments: string } | undefined {
  const called = readObject(value, param, faults, ["name", "arguments", "parsed_arguments"]);
  if (called === undefined) return undefined;
  const name = readString(called.name, `${param}.name`, faults, ID_RULE);
  const args = readString(called.arguments, `${param}.arguments`, faults);
  return name === undefined || args === undefined ? undefined : { name, arguments: args };
}

function decodeToolResult(entry: JsonObject, param: string, faults: Faults): Message | undefined {
  const toolCallId = readString(entry.tool_call_id, `${param}.tool_call_id`, faults, ID_RULE);
  const parts = decodeResultText(entry, param, faults);
  const name = decodeName(entry, param, faults);
  if (toolCallId === undefined || parts === undefined) return undefined;
  return { role: "tool", parts, ...name, toolCallId };
}

function decodeFunctionResult(
  entry: JsonObject,
  param: string,
  earlier: readonly Message[],
  faults: Faults,
): Message | undefined {
  const name = readString(entry.name, `${param}.name`, faults, ID_RULE);
  const parts = decodeResultText(entry, param, faults);
  if (name === undefined || parts === undefined) return undefined;
  const call = earlier
    .findLast((message) => message.toolCalls !== undefined)
    ?.toolCalls?.find((candidate) => candidate.name === name);
  if (call === undefined) {
    const text = "must be the name of the last function call before it";
    return faults.add("invalid_value", `${param}.name`, text);
  }
  return { role: "tool", parts, toolCallId: call.callId };
}

function decodeResultText(entry: JsonObject, param: string, faults: Faults): Message["parts"] | undefined {
  // Tools that return nothing are common, and an empty result is an answer; an absent one is a mistake.
  const mayBeEmpty = !isAbsent(entry.content);
  return decodeContent(entry.content, `${param}.content`, faults, { types: ["text"], mayBeEmpty });
}

function decodeName(entry: JsonObject, param: string, faults: Faults): { readonly name?: string } {
  if (isAbsent(entry.name)) return {};
  const name = readString(entry.name, `${param}.name`, faults, NAME_RULE);
  return name === undefined ? {} : { name };
}
