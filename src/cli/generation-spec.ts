/** The options that describe a generation, and the GenerationSpec they mean. */

import { create } from "@bufbuild/protobuf";
import {
  type ContentPart,
  ContentPartSchema,
  ContextOverflow,
  ContextOverflowSchema,
  type GenerationSpec,
  GenerationSpecSchema,
  GenerationStrategy,
  GenerationStrategySchema,
  type Message,
  MessageSchema,
  Priority,
  PrioritySchema,
  ResponseFormatSchema,
  Role,
  SamplingSchema,
  TaskType,
  TaskTypeSchema,
} from "../../gen/sluice/v1/generation_pb.ts";
import { listWords, parseEnumOption } from "./enum-option.ts";
import { loadImagePart } from "./image-part.ts";
import type { OptionSpecs } from "./option-spec.ts";
import { parseCountOption, parseNumberOption, parseWordOption } from "./option-value.ts";
import type { Arguments } from "./parse-arguments.ts";
import { LIMIT_OPTIONS, readLimits } from "./requirement-options.ts";
import { TARGET_OPTIONS } from "./target-option.ts";
import { parseWeightsOption } from "./weights-option.ts";

/** What to prefer, and for what kind of work. */
export const PREFERENCE_OPTIONS: OptionSpecs = {
  priority: {
    type: "string",
    placeholder: "WORD",
    description: `what to prefer: ${listWords(PrioritySchema).join(", ")}`,
  },
  task: {
    type: "string",
    placeholder: "WORD",
    description: `the kind of work: ${listWords(TaskTypeSchema).join(", ")}`,
  },
};

/** Shared by `generate`, `stream` and `explain`. The target is not in the spec: see target-option.ts. */
export const GENERATION_OPTIONS: OptionSpecs = {
  ...TARGET_OPTIONS,
  system: { type: "string", placeholder: "TEXT", short: "s", description: "instructions for the model" },
  ...PREFERENCE_OPTIONS,
  ...LIMIT_OPTIONS,
  weights: {
    type: "string",
    placeholder: "PAIRS",
    description: "what to weigh instead of the priority's weights: quality=2,latency=1,cost=0",
  },
  strategy: {
    type: "string",
    placeholder: "WORD",
    description: `one answer, or the better of two: ${listWords(GenerationStrategySchema).join(", ")}`,
  },
  "context-overflow": {
    type: "string",
    placeholder: "WORD",
    description: `when the prompt is too long for the target: ${listWords(ContextOverflowSchema).join(", ")}`,
  },
  thinking: {
    type: "string",
    placeholder: "WORD",
    description: "whether the model thinks before it answers, where it can be told: on, off",
  },
  temperature: { type: "string", placeholder: "NUMBER", description: "randomness, 0 to 2" },
  "max-tokens": { type: "string", placeholder: "COUNT", description: "the most tokens the answer may have" },
  "json-output": { type: "boolean", description: "ask the model for a JSON object" },
  image: {
    type: "string",
    placeholder: "FILE|URL",
    multiple: true,
    description: "show the model a picture: a PNG, JPEG, GIF or WebP file, or an https address; repeatable",
  },
};

/** Builds the request's content. Reads the pictures' files. Throws UsageError. */
export async function buildGenerationSpec(args: Arguments, prompt: string): Promise<GenerationSpec> {
  const system = args.text("system");
  const temperature = args.text("temperature");
  const maxTokens = args.text("max-tokens");
  const sampling = create(SamplingSchema, {
    ...(temperature === undefined ? {} : { temperature: parseNumberOption("temperature", temperature) }),
    ...(maxTokens === undefined ? {} : { maxOutputTokenCount: parseCountOption("max-tokens", maxTokens) }),
  });
  const messages: Message[] = [];
  if (system !== undefined && system !== "") messages.push(createMessage(Role.SYSTEM, [createText(system)]));
  const images = await Promise.all(args.texts("image").map(loadImagePart));
  messages.push(createMessage(Role.USER, [createText(prompt), ...images]));
  const spec = create(GenerationSpecSchema, { messages, sampling });
  Object.assign(spec, readPreferences(args));
  spec.strategy = parseEnumOption(
    "strategy",
    args.text("strategy"),
    GenerationStrategySchema,
    GenerationStrategy,
  );
  spec.contextOverflow = parseEnumOption(
    "context-overflow",
    args.text("context-overflow"),
    ContextOverflowSchema,
    ContextOverflow,
  );
  const thinking = args.text("thinking");
  if (thinking !== undefined) spec.thinking = parseWordOption("thinking", thinking, ["on", "off"]) === "on";
  const limits = readLimits(args);
  if (limits !== undefined) spec.requirements = limits;
  const weights = args.text("weights");
  if (weights !== undefined) spec.weights = parseWeightsOption("weights", weights);
  if (args.has("json-output")) {
    spec.responseFormat = create(ResponseFormatSchema, { format: { case: "jsonObject", value: {} } });
  }
  return spec;
}

/** Reads `PREFERENCE_OPTIONS`. Throws UsageError. */
export function readPreferences(args: Arguments): Pick<GenerationSpec, "taskType" | "priority"> {
  return {
    taskType: parseEnumOption("task", args.text("task"), TaskTypeSchema, TaskType),
    priority: parseEnumOption("priority", args.text("priority"), PrioritySchema, Priority),
  };
}

function createMessage(role: Role, parts: ContentPart[]): Message {
  return create(MessageSchema, { role, parts });
}

function createText(text: string): ContentPart {
  return create(ContentPartSchema, { part: { case: "text", value: text } });
}
