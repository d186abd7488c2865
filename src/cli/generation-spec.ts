/** The options that describe a generation, and the GenerationSpec they mean. */

import { create, type DescEnum } from "@bufbuild/protobuf";
import type { GenEnum } from "@bufbuild/protobuf/codegenv2";
import {
  type ContentPart,
  ContentPartSchema,
  type GenerationSpec,
  GenerationSpecSchema,
  type Message,
  MessageSchema,
  Priority,
  PrioritySchema,
  ResponseFormatSchema,
  Role,
  SamplingSchema,
  TargetSchema,
  TaskType,
  TaskTypeSchema,
} from "../../gen/sluice/v1/generation_pb.ts";
import { nameEnumValue } from "./answer-summary.ts";
import { loadImagePart } from "./image-part.ts";
import type { OptionSpecs } from "./option-spec.ts";
import { parseCountOption, parseNumberOption, parseWordOption } from "./option-value.ts";
import type { Arguments } from "./parse-arguments.ts";
import { UsageError } from "./usage-error.ts";

const TASK_WORDS = listWords(TaskTypeSchema);
const PRIORITY_WORDS = listWords(PrioritySchema);

/** Shared by `generate` and `stream`. */
export const GENERATION_OPTIONS: OptionSpecs = {
  model: {
    type: "string",
    placeholder: "NAME",
    short: "m",
    description: "the model of the catalog to ask; without it Sluice chooses",
  },
  system: { type: "string", placeholder: "TEXT", short: "s", description: "instructions for the model" },
  priority: {
    type: "string",
    placeholder: "WORD",
    description: `what to prefer: ${PRIORITY_WORDS.join(", ")}`,
  },
  task: { type: "string", placeholder: "WORD", description: `the kind of work: ${TASK_WORDS.join(", ")}` },
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
  const model = args.text("model");
  if (model === "") throw new UsageError("--model is empty. `sluice models` lists the names.");
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
  if (model !== undefined) spec.target = create(TargetSchema, { kind: { case: "model", value: model } });
  spec.taskType = parseEnumOption("task", args.text("task"), TaskTypeSchema, TaskType);
  spec.priority = parseEnumOption("priority", args.text("priority"), PrioritySchema, Priority);
  if (args.has("json-output")) {
    spec.responseFormat = create(ResponseFormatSchema, { format: { case: "jsonObject", value: {} } });
  }
  return spec;
}

function createMessage(role: Role, parts: ContentPart[]): Message {
  return create(MessageSchema, { role, parts });
}

function createText(text: string): ContentPart {
  return create(ContentPartSchema, { part: { case: "text", value: text } });
}

/** The words of an enum, in order, without the one that means nothing. */
function listWords(schema: DescEnum): string[] {
  return schema.values.slice(1).map(({ number }) => nameEnumValue(schema, number));
}

function parseEnumOption<Value extends number>(
  option: string,
  text: string | undefined,
  schema: GenEnum<Value>,
  values: { readonly UNSPECIFIED: Value } & Readonly<Record<string, Value>>,
): Value {
  if (text === undefined) return values.UNSPECIFIED;
  const word = parseWordOption(option, text, listWords(schema));
  return Object.values(values).find((value) => nameEnumValue(schema, value) === word) ?? values.UNSPECIFIED;
}
