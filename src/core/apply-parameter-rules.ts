/** Fits a request to what a deployment takes, and says what it changed. Pure. */

import type { Adjustment } from "../domain/adjustment.ts";
import type { Deployment } from "../domain/deployment.ts";
import { ALL_PARAMETERS, type NumberRange, type ParameterRules } from "../domain/parameter-rules.ts";
import type { ContentPart, GenerationRequest, Message, Priority, Sampling } from "../domain/request.ts";

/** A request as it goes out. */
export interface AdjustedRequest {
  readonly request: GenerationRequest;
  /** Empty when nothing was changed. */
  readonly adjustments: readonly Adjustment[];
}

/** Whether to think where the caller does not say: it can be most of a short answer's cost and time. */
const THINKING: Readonly<Record<Priority, boolean | undefined>> = {
  speed: false,
  cost: false,
  quality: true,
  balanced: undefined,
};

/** The most characters of a value that is told to the caller. */
const MAX_SHOWN_CHARACTERS = 256;

/**
 * Cuts figures to the deployment's ranges and decimals and leaves out what it does not take.
 * `caller` is the request before the operator's settings: only what the caller itself
 * asked is reported. Members of the body that the operator overrides are reported too.
 */
export function applyParameterRules(
  request: GenerationRequest,
  caller: GenerationRequest,
  { parameters: rules = ALL_PARAMETERS, requestOverrides, thinking: usual }: Deployment,
): AdjustedRequest {
  const overridden = listOverridden(caller, requestOverrides);
  const adjustments: Adjustment[] = [...overridden];
  const isOverridden = (field: string) => overridden.some((each) => each.field === field);
  const limit = (
    field: string,
    value: number | undefined,
    range: NumberRange | undefined,
    asked: unknown,
    decimalCount?: number,
  ) => {
    if (value === undefined) return undefined;
    const rounded = decimalCount === undefined ? value : Number(value.toFixed(decimalCount));
    const used = range === undefined ? undefined : Math.min(Math.max(rounded, range.min), range.max);
    if (used !== value && asked !== undefined && !isOverridden(field)) {
      const reason = used === undefined ? "not_supported" : "out_of_range";
      adjustments.push({ field, asked: show(asked), used: used === undefined ? "" : show(used), reason });
    }
    return used;
  };
  const { temperature: heat, topP: mass, ...others } = request.sampling;
  const isOneLeftOut = !rules.temperatureWithTopP && heat !== undefined && mass !== undefined;
  // Of the operator's and the caller's, the caller's stays.
  const isHeatLeftOut = isOneLeftOut && caller.sampling.temperature === undefined;
  const heatRange = isHeatLeftOut ? undefined : rules.temperature;
  const massRange = isOneLeftOut && !isHeatLeftOut ? undefined : rules.topP;
  const temperature = limit(
    "sampling.temperature",
    heat,
    heatRange,
    caller.sampling.temperature,
    rules.temperatureDecimalCount,
  );
  const topP = limit("sampling.top_p", mass, massRange, caller.sampling.topP);
  const messages = fitMessages(request.messages, rules, adjustments);
  const { thinking: asked } = request;
  const wanted =
    rules.thinkingWithTools || !hasTools(request) ? (asked ?? THINKING[caller.priority] ?? usual) : false;
  const thinking = rules.thinking ? wanted : undefined;
  if (asked !== undefined && thinking !== asked && !isOverridden("thinking")) {
    const used = thinking === undefined ? "" : show(thinking);
    adjustments.push({ field: "thinking", asked: show(asked), used, reason: "not_supported" });
  }
  const format = request.responseFormat?.kind;
  if (format !== undefined && !rules.formatEnforced && !isOverridden("response_format")) {
    adjustments.push({
      field: "response_format",
      asked: format,
      used: "asked for in words",
      reason: "not_supported",
    });
  }
  const isSame = temperature === heat && topP === mass && messages === request.messages && thinking === asked;
  if (isSame) return { request, adjustments };
  const { thinking: _asked, ...plain } = request;
  const sampling: Sampling = {
    ...others,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
  };
  return {
    request: { ...plain, sampling, messages, ...(thinking === undefined ? {} : { thinking }) },
    adjustments,
  };
}

/** Whether tools are offered, or were called. */
function hasTools({ tools, messages }: GenerationRequest): boolean {
  return tools.length > 0 || messages.some(({ toolCalls = [] }) => toolCalls.length > 0);
}

function fitMessages(
  messages: readonly Message[],
  rules: ParameterRules,
  adjustments: Adjustment[],
): readonly Message[] {
  const names = rules.speakerNames ? [] : messages.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const details = rules.imageDetail ? [] : messages.flatMap(({ parts }) => parts.flatMap(detailOf));
  if (names.length === 0 && details.length === 0) return messages;
  const left = { used: "", reason: "not_supported" } as const;
  if (names.length > 0) adjustments.push({ field: "messages.name", asked: showAll(names), ...left });
  if (details.length > 0) {
    adjustments.push({ field: "messages.parts.image.detail", asked: showAll(details), ...left });
  }
  return messages.map(({ name, parts, ...message }) => ({
    ...message,
    parts: details.length > 0 ? parts.map(dropDetail) : parts,
    ...(name !== undefined && rules.speakerNames ? { name } : {}),
  }));
}

function detailOf(part: ContentPart): readonly string[] {
  return part.kind === "image" && part.detail !== undefined ? [part.detail] : [];
}

function dropDetail(part: ContentPart): ContentPart {
  return part.kind === "image" ? { kind: "image", source: part.source } : part;
}

/** The members of providers' bodies that say the same as a field of the contract. */
const OVERRIDABLE: Readonly<Record<string, string>> = {
  temperature: "sampling.temperature",
  top_p: "sampling.top_p",
  max_tokens: "sampling.max_output_token_count",
  max_completion_tokens: "sampling.max_output_token_count",
  num_predict: "sampling.max_output_token_count",
  stop: "sampling.stop_sequences",
  stop_sequences: "sampling.stop_sequences",
  tools: "tools",
  tool_choice: "tool_choice",
  response_format: "response_format",
  format: "response_format",
  thinking: "thinking",
  reasoning: "thinking",
  think: "thinking",
};

function listOverridden(
  caller: GenerationRequest,
  overrides: Readonly<Record<string, unknown>>,
): readonly Adjustment[] {
  const { options } = overrides;
  // Ollama keeps its parameters one level deeper.
  const members = { ...overrides, ...(typeof options === "object" ? options : {}) };
  return Object.entries(members).flatMap(([member, written]): Adjustment[] => {
    const field = Object.hasOwn(OVERRIDABLE, member) ? OVERRIDABLE[member] : undefined;
    const value = field === "thinking" ? readThinking(written) : written;
    const asked = field === undefined ? undefined : readAsked(caller, field);
    if (field === undefined || asked === undefined || show(asked) === show(value)) return [];
    return [{ field, asked: show(asked), used: show(value), reason: "operator_setting" }];
  });
}

/** What a member says of thinking, in whichever maker's words; itself where it says something else. */
function readThinking(member: unknown): unknown {
  if (typeof member !== "object" || member === null) return member;
  const { type, enabled } = member as { readonly type?: unknown; readonly enabled?: unknown };
  if (type === "enabled" || type === "disabled") return type === "enabled";
  return typeof enabled === "boolean" ? enabled : member;
}

function readAsked({ sampling, ...request }: GenerationRequest, field: string): unknown {
  switch (field) {
    case "sampling.temperature":
      return sampling.temperature;
    case "sampling.top_p":
      return sampling.topP;
    case "sampling.max_output_token_count":
      return sampling.maxOutputTokens;
    case "sampling.stop_sequences":
      return sampling.stopSequences;
    case "tools":
      return request.tools.length > 0 ? request.tools.map(({ name }) => name) : undefined;
    case "tool_choice":
      return request.toolChoice?.kind;
    case "thinking":
      return request.thinking;
    default:
      return request.responseFormat?.kind;
  }
}

function show(value: unknown): string {
  return cut(typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
}

function showAll(values: readonly string[]): string {
  return cut([...new Set(values)].join(", "));
}

function cut(text: string): string {
  return text.length > MAX_SHOWN_CHARACTERS
    ? `${text.slice(0, MAX_SHOWN_CHARACTERS - 1)}…`.toWellFormed()
    : text;
}
