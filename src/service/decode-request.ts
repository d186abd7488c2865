/** The contract's GenerationSpec to our request, or every field violation at once. */

import type { JsonObject } from "@bufbuild/protobuf";
import {
  ContextOverflow as ContextOverflowEnum,
  type GenerationSpec,
  GenerationStrategy as GenerationStrategyEnum,
  Priority as PriorityEnum,
  type PriorityWeights as PriorityWeightsMessage,
  type ResponseFormat as ResponseFormatMessage,
  type Sampling as SamplingMessage,
  type Target as TargetMessage,
  type TaskType as TaskTypeEnum,
  type ToolChoice as ToolChoiceMessage,
  ToolChoiceMode,
  type Tool as ToolMessage,
} from "../../gen/sluice/v1/generation_pb.ts";
import type { TaskType } from "../domain/deployment.ts";
import type { FieldViolation } from "../domain/errors.ts";
import type {
  ContextOverflow,
  GenerationRequest,
  Message,
  Priority,
  PriorityWeights,
  ResponseFormat,
  Sampling,
  Target,
  Tool,
  ToolChoice,
} from "../domain/request.ts";
import type { GenerationStrategy } from "../domain/targets.ts";
import { decodeMessages } from "./decode-messages.ts";
import { decodeRequirements } from "./decode-requirements.ts";
import { checkDialogue, renderDialogue } from "./render-dialogue.ts";
import { isTaskType, readTaskType } from "./task-types.ts";
import { MAX_TEXT_CHARACTERS, NAME_PATTERN, NAME_RULE, Violations } from "./violations.ts";

const MAX_MESSAGES = 1_000;
const MAX_TOOLS = 128;
const MAX_STOP_SEQUENCES = 4;
const MAX_NAME_CHARACTERS = 256;

export type DecodedRequest =
  | { readonly ok: true; readonly request: GenerationRequest }
  | { readonly ok: false; readonly violations: readonly FieldViolation[] };

/** Checks and translates a spec. Paths in violations begin with `spec`. */
export function decodeRequest(spec: GenerationSpec | undefined): DecodedRequest {
  const violations = new Violations();
  if (spec === undefined) {
    violations.add("spec", "must be set");
    return { ok: false, violations: violations.list };
  }
  const tools = decodeTools(spec.tools, violations);
  const toolChoice = decodeToolChoice(spec.toolChoice, tools, violations);
  const responseFormat = decodeResponseFormat(spec.responseFormat, violations);
  const taskType = decodeTaskType(spec.taskType, violations);
  const strategy = decodeStrategy(spec.strategy, violations);
  const weights = decodeWeights(spec.weights, violations);
  const contextOverflow = decodeContextOverflow(spec.contextOverflow, violations);
  const request: GenerationRequest = {
    messages: decodeInput(spec, violations),
    target: decodeTarget(spec.target, violations),
    priority: decodePriority(spec.priority, "spec.priority", violations),
    requirements: decodeRequirements(spec.requirements, "spec.requirements", violations),
    sampling: decodeSampling(spec.sampling, violations),
    tools,
    ...(taskType === undefined ? {} : { taskType }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(responseFormat === undefined ? {} : { responseFormat }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(weights === undefined ? {} : { weights }),
    ...(spec.explain ? { explain: true } : {}),
    ...(contextOverflow === undefined ? {} : { contextOverflow }),
    ...(spec.thinking === undefined ? {} : { thinking: spec.thinking }),
  };
  return violations.list.length === 0 ? { ok: true, request } : { ok: false, violations: violations.list };
}

function decodeInput(spec: GenerationSpec, violations: Violations): readonly Message[] {
  if (spec.dialogue !== undefined) {
    if (spec.messages.length > 0) {
      violations.add("spec.messages", "must be empty when dialogue is set: send one of the two");
    }
    return checkDialogue(spec.dialogue, violations) ? renderDialogue(spec.dialogue) : [];
  }
  if (spec.messages.length === 0) {
    violations.add("spec.messages", "must have at least one message, or dialogue must be set");
  } else if (spec.messages.length > MAX_MESSAGES) {
    violations.add(
      "spec.messages",
      `has ${spec.messages.length} messages; at most ${MAX_MESSAGES} are allowed`,
    );
    return [];
  }
  return decodeMessages(spec.messages, violations);
}

function decodeTarget(target: TargetMessage | undefined, violations: Violations): Target {
  if (target === undefined) return { kind: "automatic" };
  if (target.kind.case === undefined) {
    violations.add("spec.target", "must name a kind, or be left out for automatic choice");
    return { kind: "automatic" };
  }
  const { case: kind, value: name } = target.kind;
  if (name === "" || name.length > MAX_NAME_CHARACTERS) {
    violations.add(`spec.target.${kind}`, `must have 1 to ${MAX_NAME_CHARACTERS} characters`);
  }
  if (kind === "model") return { kind, model: name };
  return kind === "name" ? { kind: "named", name } : { kind: "named", name, as: kind };
}

const PRIORITIES: Readonly<Record<PriorityEnum, Priority>> = {
  [PriorityEnum.UNSPECIFIED]: "balanced",
  [PriorityEnum.SPEED]: "speed",
  [PriorityEnum.QUALITY]: "quality",
  [PriorityEnum.COST]: "cost",
  [PriorityEnum.BALANCED]: "balanced",
};

/** Our word for a priority; unset means balanced. `field` names it in a violation. */
export function decodePriority(value: PriorityEnum, field: string, violations: Violations): Priority {
  const priority: Priority | undefined = PRIORITIES[value];
  if (priority === undefined) violations.add(field, `${value} is not a known value`);
  return priority ?? "balanced";
}

function decodeTaskType(value: TaskTypeEnum, violations: Violations): TaskType | undefined {
  if (!isTaskType(value)) violations.add("spec.task_type", `${value} is not a known value`);
  return readTaskType(value);
}

const STRATEGIES: Readonly<Record<GenerationStrategyEnum, GenerationStrategy | undefined>> = {
  [GenerationStrategyEnum.UNSPECIFIED]: undefined,
  [GenerationStrategyEnum.SINGLE]: "single",
  [GenerationStrategyEnum.BEST_OF_TWO]: "best_of_two",
};

function decodeStrategy(
  value: GenerationStrategyEnum,
  violations: Violations,
): GenerationStrategy | undefined {
  if (!Object.hasOwn(STRATEGIES, value)) violations.add("spec.strategy", `${value} is not a known value`);
  return STRATEGIES[value];
}

const OVERFLOWS: Readonly<Record<ContextOverflowEnum, ContextOverflow | undefined>> = {
  [ContextOverflowEnum.UNSPECIFIED]: undefined,
  [ContextOverflowEnum.FAIL]: "fail",
  [ContextOverflowEnum.TRIM_OLDEST]: "trim_oldest",
  [ContextOverflowEnum.LARGER_MODEL]: "larger_model",
};

function decodeContextOverflow(
  value: ContextOverflowEnum,
  violations: Violations,
): ContextOverflow | undefined {
  if (!Object.hasOwn(OVERFLOWS, value))
    violations.add("spec.context_overflow", `${value} is not a known value`);
  return OVERFLOWS[value];
}

function decodeWeights(
  weights: PriorityWeightsMessage | undefined,
  violations: Violations,
): PriorityWeights | undefined {
  if (weights === undefined) return undefined;
  const { quality, latency, cost } = weights;
  for (const [field, value] of Object.entries({ quality, latency, cost })) {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      violations.add(`spec.weights.${field}`, `is ${value}; must be 0.0 or more`);
    }
  }
  if (quality + latency + cost === 0) violations.add("spec.weights", "must have one weight above 0.0");
  return { quality, latency, cost };
}

function decodeSampling(sampling: SamplingMessage | undefined, violations: Violations): Sampling {
  if (sampling === undefined) return {};
  const { temperature, topP, maxOutputTokenCount, stopSequences } = sampling;
  if (temperature !== undefined && !(temperature >= 0 && temperature <= 2)) {
    violations.add("spec.sampling.temperature", `is ${temperature}; must be 0.0 to 2.0 inclusive`);
  }
  if (topP !== undefined && !(topP > 0 && topP <= 1)) {
    violations.add("spec.sampling.top_p", `is ${topP}; must be above 0.0 and at most 1.0`);
  }
  if (maxOutputTokenCount !== undefined && maxOutputTokenCount < 1) {
    violations.add("spec.sampling.max_output_token_count", `is ${maxOutputTokenCount}; must be 1 or more`);
  }
  if (stopSequences.length > MAX_STOP_SEQUENCES) {
    violations.add(
      "spec.sampling.stop_sequences",
      `has ${stopSequences.length} entries; at most ${MAX_STOP_SEQUENCES} are allowed`,
    );
  }
  for (const [index, text] of stopSequences.entries()) {
    if (text === "") violations.add(`spec.sampling.stop_sequences[${index}]`, "must not be empty");
  }
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(maxOutputTokenCount === undefined ? {} : { maxOutputTokens: maxOutputTokenCount }),
    ...(stopSequences.length === 0 ? {} : { stopSequences }),
  };
}

function decodeTools(tools: readonly ToolMessage[], violations: Violations): readonly Tool[] {
  if (tools.length > MAX_TOOLS) {
    violations.add("spec.tools", `has ${tools.length} tools; at most ${MAX_TOOLS} are allowed`);
    return [];
  }
  const names = new Set<string>();
  return tools.map((tool, index) => {
    const path = `spec.tools[${index}]`;
    if (!NAME_PATTERN.test(tool.name)) violations.add(`${path}.name`, NAME_RULE);
    else if (names.has(tool.name))
      violations.add(`${path}.name`, "is the name of an earlier tool; names must differ");
    names.add(tool.name);
    if (tool.description.length > MAX_TEXT_CHARACTERS) violations.addTooLong(`${path}.description`);
    return {
      name: tool.name,
      description: tool.description,
      ...(tool.parameters === undefined ? {} : { parameters: tool.parameters as JsonObject }),
    };
  });
}

function decodeToolChoice(
  choice: ToolChoiceMessage | undefined,
  tools: readonly Tool[],
  violations: Violations,
): ToolChoice | undefined {
  if (choice === undefined) return undefined;
  if (tools.length === 0) {
    violations.add("spec.tool_choice", "must be left out when there are no tools");
    return undefined;
  }
  if (choice.choice.case === "toolName") {
    const name = choice.choice.value;
    if (!tools.some((tool) => tool.name === name)) {
      violations.add("spec.tool_choice.tool_name", "names none of the tools");
    }
    return { kind: "tool", name };
  }
  switch (choice.choice.value) {
    case ToolChoiceMode.AUTO:
      return { kind: "auto" };
    case ToolChoiceMode.NONE:
      return { kind: "none" };
    case ToolChoiceMode.REQUIRED:
      return { kind: "required" };
    default:
      violations.add("spec.tool_choice", "must set a known mode or a tool_name");
      return undefined;
  }
}

function decodeResponseFormat(
  format: ResponseFormatMessage | undefined,
  violations: Violations,
): ResponseFormat | undefined {
  if (format === undefined) return undefined;
  switch (format.format.case) {
    case "jsonObject":
      return { kind: "json_object" };
    case "jsonSchema": {
      const { name, schema, strict } = format.format.value;
      const path = "spec.response_format.json_schema";
      if (!NAME_PATTERN.test(name)) violations.add(`${path}.name`, NAME_RULE);
      if (schema === undefined) violations.add(`${path}.schema`, "must be set");
      return { kind: "json_schema", name, schema: (schema ?? {}) as JsonObject, strict };
    }
    case undefined:
      violations.add("spec.response_format", "must name a format, or be left out for plain text");
      return undefined;
  }
}
