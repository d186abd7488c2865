/** Tools, and whether they must be called; in the present and in the old form (`functions`, `function_call`). */

import type { Tool, ToolChoice } from "../domain/request.ts";
import { isRecord } from "../lib/is-record.ts";
import type { Faults } from "./fault.ts";
import {
  isAbsent,
  type JsonObject,
  NAME_RULE,
  readArray,
  readBoolean,
  readChoice,
  readFreeObject,
  readObject,
  readString,
} from "./read-value.ts";

/** The most tools of a request (generation.proto). */
const MAX_TOOL_COUNT = 128;

/** What a request says of tools. */
export interface ToolRequest {
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  /** The caller speaks the old form and must be answered in it. */
  readonly isLegacy: boolean;
  /** At most one call may be in the answer. */
  readonly isSingleCall: boolean;
  /** A tool wants `strict`, which deployments are not made to keep. */
  readonly wantsStrict: boolean;
}

/** Reads everything of the body that is about tools. */
export function decodeToolRequest(body: JsonObject, faults: Faults): ToolRequest | undefined {
  const isLegacy = !isAbsent(body.functions) || (isAbsent(body.tools) && !isAbsent(body.function_call));
  const field = isLegacy ? "functions" : "tools";
  for (const other of isLegacy ? ["tools", "tool_choice"] : ["function_call"]) {
    if (isAbsent(body[other])) continue;
    faults.add("invalid_value", other, `cannot stand beside ${field}; use tools and tool_choice only`);
  }
  const read = isAbsent(body[field]) ? [] : decodeTools(body[field], field, faults);
  const toolChoice = isLegacy
    ? decodeChoice(body.function_call, "function_call", faults, isLegacy)
    : decodeChoice(body.tool_choice, "tool_choice", faults, isLegacy);
  const isParallel = isAbsent(body.parallel_tool_calls)
    ? true
    : readBoolean(body.parallel_tool_calls, "parallel_tool_calls", faults);
  if (read === undefined || isParallel === undefined) return undefined;

  const tools = read.map((entry) => entry.tool);
  const isChoiceKept = checkChoice(toolChoice, tools, isLegacy ? "function_call" : "tool_choice", faults);
  return {
    tools,
    ...(toolChoice !== undefined && isChoiceKept ? { toolChoice } : {}),
    isLegacy,
    isSingleCall: isLegacy || !isParallel,
    wantsStrict: read.some((entry) => entry.isStrict),
  };
}

interface ReadTool {
  readonly tool: Tool;
  readonly isStrict: boolean;
}

function decodeTools(
  value: unknown,
  field: "tools" | "functions",
  faults: Faults,
): readonly ReadTool[] | undefined {
  const entries = readArray(value, field, faults, MAX_TOOL_COUNT);
  if (entries === undefined) return undefined;
  const tools: ReadTool[] = [];
  const names = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    const path = `${field}[${index}]`;
    const read = field === "tools" ? decodeTool(entry, path, faults) : decodeFunction(entry, path, faults);
    if (read === undefined) continue;
    if (names.has(read.tool.name)) {
      const at = field === "tools" ? `${path}.function.name` : `${path}.name`;
      faults.add("invalid_value", at, "is the name of an earlier one; names must be unique");
    }
    names.add(read.tool.name);
    tools.push(read);
  }
  return tools.length === entries.length ? tools : undefined;
}

function decodeTool(value: unknown, param: string, faults: Faults): ReadTool | undefined {
  const entry = readObject(value, param, faults);
  if (entry === undefined) return undefined;
  if (readChoice(entry.type, `${param}.type`, faults, ["function"]) === undefined) return undefined;
  readObject(entry, param, faults, ["type", "function"]);
  return decodeFunction(entry.function, `${param}.function`, faults);
}

function decodeFunction(value: unknown, param: string, faults: Faults): ReadTool | undefined {
  const entry = readObject(value, param, faults, ["name", "description", "parameters", "strict"]);
  if (entry === undefined) return undefined;
  const name = readString(entry.name, `${param}.name`, faults, NAME_RULE);
  const description = isAbsent(entry.description)
    ? ""
    : readString(entry.description, `${param}.description`, faults);
  const parameters = isAbsent(entry.parameters)
    ? "none"
    : readFreeObject(entry.parameters, `${param}.parameters`, faults);
  const isStrict = isAbsent(entry.strict) ? false : readBoolean(entry.strict, `${param}.strict`, faults);
  if (name === undefined || description === undefined) return undefined;
  if (parameters === undefined || isStrict === undefined) return undefined;
  return { tool: { name, description, ...(parameters === "none" ? {} : { parameters }) }, isStrict };
}

function decodeChoice(
  value: unknown,
  param: string,
  faults: Faults,
  isLegacy: boolean,
): ToolChoice | undefined {
  if (isAbsent(value)) return undefined;
  if (!isRecord(value)) {
    const words = isLegacy ? (["none", "auto"] as const) : (["none", "auto", "required"] as const);
    const kind = readChoice<"none" | "auto" | "required">(value, param, faults, words);
    return kind === undefined ? undefined : { kind };
  }
  if (isLegacy) {
    readObject(value, param, faults, ["name"]);
    return decodeNamedChoice(value.name, `${param}.name`, faults);
  }
  if (readChoice(value.type, `${param}.type`, faults, ["function"]) === undefined) return undefined;
  readObject(value, param, faults, ["type", "function"]);
  const chosen = readObject(value.function, `${param}.function`, faults, ["name"]);
  if (chosen === undefined) return undefined;
  return decodeNamedChoice(chosen.name, `${param}.function.name`, faults);
}

function decodeNamedChoice(value: unknown, param: string, faults: Faults): ToolChoice | undefined {
  const name = readString(value, param, faults, NAME_RULE);
  return name === undefined ? undefined : { kind: "tool", name };
}

/** Whether the choice goes on to the router. Without tools, `none` and `auto` ask for nothing and are let fall. */
function checkChoice(
  choice: ToolChoice | undefined,
  tools: readonly Tool[],
  param: string,
  faults: Faults,
): boolean {
  if (choice === undefined) return false;
  if (choice.kind === "tool") {
    if (tools.some((tool) => tool.name === choice.name)) return true;
    faults.add("invalid_value", param, "names a tool that the request does not have");
    return false;
  }
  if (tools.length > 0) return true;
  if (choice.kind === "required") faults.add("invalid_value", param, "is required, but there are no tools");
  return false;
}
