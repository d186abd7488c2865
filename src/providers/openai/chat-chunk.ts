import type { Usage } from "../../domain/usage.ts";
import { isRecord } from "../../lib/is-record.ts";
import { readText } from "../http/read-text.ts";
import type { ToolCallFragment } from "../http/tool-call-slots.ts";
import { readUsage } from "./read-usage.ts";

/** What one `chat.completion.chunk`, or one whole `chat.completion`, says. */
export interface ChatChunk {
  /** Empty when not told. */
  readonly model: string;
  /** Whether it has a choice, be it empty. */
  readonly hasChoice: boolean;
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCallFragment[];
  /** In the server's own word; empty when there is none yet. */
  readonly finishReason: string;
  readonly usage: Usage | undefined;
  /** The error it holds, in any shape, or undefined. */
  readonly error: unknown;
}

const MAX_MODEL_NAME_LENGTH = 256;
const MAX_FINISH_REASON_LENGTH = 64;

/**
 * Reads a parsed chunk or whole answer of an OpenAI-compatible server. Null, empty
 * and absent members are the same; unknown members are passed over; of several
 * choices only the first counts. Returns undefined when it is no object at all.
 */
export function readChatChunk(told: unknown): ChatChunk | undefined {
  // Gemini puts errors into a list of one.
  const value: unknown = Array.isArray(told) && told.length === 1 ? told[0] : told;
  if (!isRecord(value)) return undefined;
  const choice = findChoice(value.choices);
  const delta = readDelta(choice);
  return {
    model: readText(value.model).slice(0, MAX_MODEL_NAME_LENGTH).toWellFormed(),
    hasChoice: choice !== undefined,
    // A refusal is what the model says to the reader, so it is text.
    text: readContent(delta?.content) || readText(delta?.refusal),
    // OpenRouter sends `reasoning` and `reasoning_details` with the same text: only one is read.
    reasoning: readText(delta?.reasoning_content) || readText(delta?.reasoning),
    toolCalls: delta ? readToolCalls(delta) : NO_TOOL_CALLS,
    finishReason: readText(choice?.finish_reason).slice(0, MAX_FINISH_REASON_LENGTH).toWellFormed(),
    usage: readUsage(value.usage),
    error: findError(value, choice),
  };
}

const NO_TOOL_CALLS: readonly ToolCallFragment[] = [];

function findChoice(choices: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!Array.isArray(choices)) return undefined;
  for (const choice of choices) {
    if (isRecord(choice) && (typeof choice.index !== "number" || choice.index === 0)) return choice;
  }
  return undefined;
}

function readDelta(choice: Readonly<Record<string, unknown>> | undefined) {
  if (isRecord(choice?.delta)) return choice.delta;
  return isRecord(choice?.message) ? choice.message : undefined;
}

function findError(
  value: Readonly<Record<string, unknown>>,
  choice: Readonly<Record<string, unknown>> | undefined,
) {
  if (value.error !== undefined && value.error !== null && value.error !== "" && value.error !== false) {
    return value.error;
  }
  // vLLM's older shape, and the one of gateways in front of GLM.
  if (value.object === "error" || value.success === false) return value;
  return isRecord(choice?.error) ? choice.error : undefined;
}

/** Content is a string, or with a few servers a list of parts. */
function readContent(content: unknown): string {
  if (!Array.isArray(content)) return readText(content);
  let text = "";
  for (const part of content) {
    if (isRecord(part) && part.type === "text") text += readText(part.text);
  }
  return text;
}

function readToolCalls(delta: Readonly<Record<string, unknown>>): readonly ToolCallFragment[] {
  if (Array.isArray(delta.tool_calls)) return delta.tool_calls.filter(isRecord).map(readToolCall);
  // The form that came before tool_calls: one call at most, without an id.
  return isRecord(delta.function_call)
    ? [readToolCall({ index: 0, function: delta.function_call })]
    : NO_TOOL_CALLS;
}

function readToolCall(value: Readonly<Record<string, unknown>>): ToolCallFragment {
  const called = isRecord(value.function) ? value.function : {};
  const thoughtSignature = readSignature(value.extra_content);
  return {
    ...(thoughtSignature !== "" && { thoughtSignature }),
    index: Number.isSafeInteger(value.index) ? Number(value.index) : undefined,
    id: readText(value.id).toWellFormed(),
    name: readText(called.name).toWellFormed(),
    // GLM's documentation shows an object where the wire has text: take both.
    arguments: isRecord(called.arguments)
      ? JSON.stringify(called.arguments)
      : readText(called.arguments).toWellFormed(),
  };
}

/** Gemini's `extra_content.google.thought_signature`; empty where there is none. */
function readSignature(extra: unknown): string {
  const google = isRecord(extra) ? extra.google : undefined;
  return isRecord(google) ? readText(google.thought_signature).toWellFormed() : "";
}
