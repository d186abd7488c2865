/** The body of `POST /v1/chat/completions`, from untrusted bytes to the router's words. Pure. */

import { TASK_TYPES } from "../domain/deployment.ts";
import type { ContextOverflow, GenerationRequest, Priority, Target } from "../domain/request.ts";
import type { GenerationStrategy } from "../domain/targets.ts";
import { readModelName } from "./catalog-name.ts";
import { decodeMessages } from "./decode-messages.ts";
import { decodeResponseFormat } from "./decode-response-format.ts";
import { decodeSampling } from "./decode-sampling.ts";
import { decodeToolRequest } from "./decode-tools.ts";
import { type Fault, Faults } from "./fault.ts";
import { checkParameters } from "./parameters.ts";
import { isAbsent, type JsonObject, readBoolean, readChoice, readObject, readString } from "./read-value.ts";

/** How the caller wants the answer written. */
export interface AnswerForm {
  readonly isStream: boolean;
  /** Whether a stream ends with a chunk of usage. */
  readonly includesUsage: boolean;
  /** Whether calls are written as `function_call` instead of `tool_calls`. */
  readonly isLegacy: boolean;
  /** Whether only the first tool call is given; the model can make the others in its next turn. */
  readonly isSingleCall: boolean;
  /** Paths of parameters that were taken but that no deployment is made to keep. */
  readonly notEnforced: readonly string[];
}

/** A chat request, read. */
export interface ChatRequest {
  readonly generation: GenerationRequest;
  readonly form: AnswerForm;
}

export type DecodedChat =
  | { readonly kind: "chat"; readonly chat: ChatRequest }
  /** Never empty. */
  | { readonly kind: "faulty"; readonly faults: readonly Fault[] };

/** The end of those messages of V8's JSON parser that tell a place. */
const PLACE = / in JSON at position (\d+)(?: \(line \d+ column \d+\))?$/;

/** Longer names of models than this are in no catalog. */
const MODEL_RULE = { maxLength: 256 } as const;

/** Reads a body; never throws. docs/openai-door.md says which parameters mean what. */
export function decodeChatRequest(bytes: Uint8Array, catalogNames: ReadonlySet<string>): DecodedChat {
  const faults = new Faults();
  const body = parseBody(bytes, faults);
  const chat = body === undefined ? undefined : decodeBody(body, catalogNames, faults);
  if (chat === undefined || faults.found.length > 0) return { kind: "faulty", faults: faults.found };
  return { kind: "chat", chat };
}

function parseBody(bytes: Uint8Array, faults: Faults): JsonObject | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    // The parser's own message quotes the body, which may be a prompt; only the place is told.
    const place = error instanceof SyntaxError ? PLACE.exec(error.message)?.[1] : undefined;
    const text = place === undefined ? "is not JSON in UTF-8" : `is not JSON: wrong at character ${place}`;
    return faults.add("invalid_value", "", text);
  }
  return readObject(value, "", faults);
}

function decodeBody(
  body: JsonObject,
  catalogNames: ReadonlySet<string>,
  faults: Faults,
): ChatRequest | undefined {
  checkParameters(body, faults);
  const target = decodeTarget(body.model, catalogNames, faults);
  const messages = decodeMessages(body.messages, faults);
  const sampling = decodeSampling(body, faults);
  const toolRequest = decodeToolRequest(body, faults);
  const responseFormat = decodeResponseFormat(body.response_format, faults);
  const wishes = decodeWishes(body.sluice, faults);
  const stream = decodeStream(body, faults);
  if (target === undefined || messages === undefined || toolRequest === undefined) return undefined;
  const { tools, toolChoice, isLegacy, isSingleCall, wantsStrict } = toolRequest;
  return {
    generation: {
      messages,
      target,
      ...wishes,
      // What messages, tools and format imply is derived by the router.
      requirements: { vision: false, tools: false, jsonOutput: false, longContext: false },
      sampling,
      tools,
      ...(toolChoice === undefined ? {} : { toolChoice }),
      ...(responseFormat === undefined ? {} : { responseFormat }),
    },
    form: { ...stream, isLegacy, isSingleCall, notEnforced: wantsStrict ? ["tools.function.strict"] : [] },
  };
}

function decodeTarget(value: unknown, catalogNames: ReadonlySet<string>, faults: Faults): Target | undefined {
  if (isAbsent(value)) {
    const text = 'is required: the name of a model, or "auto" for automatic choice';
    return faults.add("missing_required_parameter", "model", text);
  }
  const name = readString(value, "model", faults, MODEL_RULE);
  return name === undefined ? undefined : readModelName(name, catalogNames);
}

function decodeStream(
  body: JsonObject,
  faults: Faults,
): { readonly isStream: boolean; readonly includesUsage: boolean } {
  const isStream = isAbsent(body.stream) ? false : (readBoolean(body.stream, "stream", faults) ?? false);
  if (isAbsent(body.stream_options)) return { isStream, includesUsage: false };
  if (!isStream) faults.add("invalid_value", "stream_options", "goes with stream: true only");
  const known = ["include_usage", "include_obfuscation"];
  const options = readObject(body.stream_options, "stream_options", faults, known) ?? {};
  const read = (name: string) =>
    isAbsent(options[name]) ? false : readBoolean(options[name], `stream_options.${name}`, faults);
  if (read("include_obfuscation") === true) {
    const text = "is not supported: send false or leave it out";
    faults.add("unsupported_value", "stream_options.include_obfuscation", text);
  }
  return { isStream, includesUsage: read("include_usage") ?? false };
}

const PRIORITIES = ["speed", "quality", "cost", "balanced"] as const satisfies readonly Priority[];

const STRATEGIES = ["single", "best_of_two"] as const satisfies readonly GenerationStrategy[];

const OVERFLOWS = ["fail", "trim_oldest", "larger_model"] as const satisfies readonly ContextOverflow[];

/** Reads Sluice's own extension, `sluice: {priority, task_type, strategy, explain, context_overflow, thinking}`. */
function decodeWishes(
  value: unknown,
  faults: Faults,
): Pick<
  GenerationRequest,
  "priority" | "taskType" | "strategy" | "explain" | "contextOverflow" | "thinking"
> {
  const known = ["priority", "task_type", "strategy", "explain", "context_overflow", "thinking"];
  const entry = isAbsent(value) ? undefined : readObject(value, "sluice", faults, known);
  const priority = isAbsent(entry?.priority)
    ? undefined
    : readChoice(entry.priority, "sluice.priority", faults, PRIORITIES);
  const taskType = isAbsent(entry?.task_type)
    ? undefined
    : readChoice(entry.task_type, "sluice.task_type", faults, TASK_TYPES);
  const strategy = isAbsent(entry?.strategy)
    ? undefined
    : readChoice(entry.strategy, "sluice.strategy", faults, STRATEGIES);
  const explain = isAbsent(entry?.explain) ? false : readBoolean(entry.explain, "sluice.explain", faults);
  const contextOverflow = isAbsent(entry?.context_overflow)
    ? undefined
    : readChoice(entry.context_overflow, "sluice.context_overflow", faults, OVERFLOWS);
  const thinking = isAbsent(entry?.thinking)
    ? undefined
    : readBoolean(entry.thinking, "sluice.thinking", faults);
  return {
    priority: priority ?? "balanced",
    ...(taskType === undefined ? {} : { taskType }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(explain === true ? { explain } : {}),
    ...(contextOverflow === undefined ? {} : { contextOverflow }),
    ...(thinking === undefined ? {} : { thinking }),
  };
}
