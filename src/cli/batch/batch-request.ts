/** Reads one line of a batch. */

import { create, type JsonObject } from "@bufbuild/protobuf";
import {
  type ContentPart,
  ContentPartSchema,
  type GenerationSpec,
  GenerationSpecSchema,
  type Message,
  MessageSchema,
  type ResponseFormat,
  ResponseFormatSchema,
  Role,
  SamplingSchema,
  TargetSchema,
} from "../../../gen/sluice/v1/generation_pb.ts";
import { isRecord } from "../../lib/is-record.ts";

/** A line that can be asked, or what is wrong with it. */
export type BatchRequest =
  | { readonly ok: true; readonly customId: string | undefined; readonly spec: GenerationSpec }
  | { readonly ok: false; readonly customId: string | undefined; readonly wrong: string };

/** What is wrong with a line; never leaves this file. */
class BadLine extends Error {
  override readonly name = "BadLine";
}

type Fields = Readonly<Record<string, unknown>>;

const ENVELOPE_FIELDS = new Set(["custom_id", "method", "url", "body"]);
const PLAIN_FIELDS = new Set([
  ...["custom_id", "prompt", "system", "model", "temperature", "top_p", "max_tokens", "stop"],
]);
const BODY_FIELDS = new Set([
  ...["model", "messages", "temperature", "top_p", "max_tokens", "max_completion_tokens", "stop"],
  ...["response_format", "n", "stream", "user", "metadata"],
]);
const CHAT_URL = "/v1/chat/completions";
const ROLES: Readonly<Record<string, Role>> = {
  system: Role.SYSTEM,
  developer: Role.SYSTEM,
  user: Role.USER,
  assistant: Role.ASSISTANT,
};
/** Means that Sluice chooses, as at the OpenAI door. */
const AUTOMATIC = "auto";

/**
 * Reads a line: a request of OpenAI's batches (`custom_id`, `method`, `url`, `body`) or a
 * plain one (`prompt`). What would change the answer and cannot be kept is refused, not ignored.
 */
export function readBatchRequest(line: string): BatchRequest {
  let customId: string | undefined;
  try {
    const value = parse(line);
    customId = readText(value.custom_id, "custom_id");
    return { ok: true, customId, spec: "body" in value ? readEnvelope(value) : readPlain(value) };
  } catch (error) {
    if (error instanceof BadLine) return { ok: false, customId, wrong: error.message };
    throw error;
  }
}

function parse(line: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new BadLine("the line is no JSON; right would be {…}");
  }
  if (!isRecord(value)) throw new BadLine("the line is no object; right would be {…}");
  return value;
}

function readEnvelope(value: Fields): GenerationSpec {
  refuseOthers(value, ENVELOPE_FIELDS, "");
  if (value.url !== undefined && value.url !== CHAT_URL) throw new BadLine(`url must be ${CHAT_URL}`);
  if (value.method !== undefined && value.method !== "POST") throw new BadLine("method must be POST");
  const { body } = value;
  if (!isRecord(body)) throw new BadLine("body is no object; right would be {…}");
  refuseOthers(body, BODY_FIELDS, "body.");
  if (body.n !== undefined && body.n !== null && body.n !== 1) throw new BadLine("body.n must be 1");
  if (!Array.isArray(body.messages) || body.messages.length === 0) {
    throw new BadLine("body.messages is missing or empty; right would be a list of messages");
  }
  const spec = makeSpec(body, body.messages.map(readMessage), "body.");
  const format = readFormat(body.response_format);
  if (format !== undefined) spec.responseFormat = format;
  return spec;
}

function readPlain(value: Fields): GenerationSpec {
  refuseOthers(value, PLAIN_FIELDS, "");
  const prompt = readText(value.prompt, "prompt");
  if (prompt === undefined || prompt.trim() === "") throw new BadLine("prompt is missing or empty");
  const system = readText(value.system, "system");
  const messages = [
    ...(system === undefined || system === "" ? [] : [makeMessage(Role.SYSTEM, [makeText(system)])]),
    makeMessage(Role.USER, [makeText(prompt)]),
  ];
  return makeSpec(value, messages, "");
}

function makeSpec(fields: Fields, messages: Message[], path: string): GenerationSpec {
  const model = readText(fields.model, `${path}model`);
  const temperature = readNumber(fields.temperature, `${path}temperature`);
  const topP = readNumber(fields.top_p, `${path}top_p`);
  const limit =
    readNumber(fields.max_completion_tokens, `${path}max_completion_tokens`) ??
    readNumber(fields.max_tokens, `${path}max_tokens`);
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit < 2 ** 31)) {
    throw new BadLine(`${path}max_tokens is no whole number of 1 or more`);
  }
  const sampling = create(SamplingSchema, {
    stopSequences: readStop(fields.stop, `${path}stop`),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(limit === undefined ? {} : { maxOutputTokenCount: limit }),
  });
  const isChosen = model !== undefined && model !== AUTOMATIC;
  const target = isChosen ? create(TargetSchema, { kind: { case: "model", value: model } }) : undefined;
  return create(GenerationSpecSchema, { messages, sampling, ...(target === undefined ? {} : { target }) });
}

function readMessage(value: unknown, index: number): Message {
  const path = `body.messages[${index}]`;
  if (!isRecord(value)) throw new BadLine(`${path} is no object`);
  const role =
    typeof value.role === "string" && Object.hasOwn(ROLES, value.role) ? ROLES[value.role] : undefined;
  if (role === undefined) throw new BadLine(`${path}.role must be one of ${Object.keys(ROLES).join(", ")}`);
  refuseOthers(value, new Set(["role", "content", "name"]), `${path}.`);
  const name = readText(value.name, `${path}.name`);
  const message = makeMessage(role, readContent(value.content, `${path}.content`));
  if (name !== undefined) message.name = name;
  return message;
}

function readContent(value: unknown, path: string): ContentPart[] {
  if (typeof value === "string") return [makeText(value)];
  if (!Array.isArray(value)) throw new BadLine(`${path} must be text or a list of parts`);
  return value.map((part, index) => {
    const at = `${path}[${index}]`;
    if (isRecord(part) && part.type === "text" && typeof part.text === "string") return makeText(part.text);
    const url = isRecord(part) && isRecord(part.image_url) ? part.image_url.url : undefined;
    if (typeof url === "string" && url.startsWith("https://")) {
      return create(ContentPartSchema, {
        part: { case: "image", value: { source: { case: "url", value: url } } },
      });
    }
    throw new BadLine(`${at} must be a text, or an image_url with an https address`);
  });
}

function readFormat(value: unknown): ResponseFormat | undefined {
  if (value === undefined || value === null) return undefined;
  const format = isRecord(value) ? value : {};
  if (format.type === "text") return undefined;
  if (format.type === "json_object") {
    return create(ResponseFormatSchema, { format: { case: "jsonObject", value: {} } });
  }
  const named = format.type === "json_schema" && isRecord(format.json_schema) ? format.json_schema : {};
  if (typeof named.name !== "string" || !isRecord(named.schema)) {
    throw new BadLine("body.response_format must be text, json_object, or json_schema with name and schema");
  }
  // It came from JSON.parse, so it is JSON.
  const schema = named.schema as JsonObject;
  const { name } = named;
  return create(ResponseFormatSchema, {
    format: { case: "jsonSchema", value: { name, schema, strict: named.strict === true } },
  });
}

function readStop(value: unknown, path: string): string[] {
  if (value === undefined || value === null) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((stop) => {
    if (typeof stop !== "string") throw new BadLine(`${path} must be text or a list of texts`);
    return stop;
  });
}

function readText(value: unknown, path: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new BadLine(`${path} is no text`);
  return value;
}

function readNumber(value: unknown, path: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") throw new BadLine(`${path} is no number`);
  return value;
}

function refuseOthers(fields: Fields, known: ReadonlySet<string>, path: string): void {
  const other = Object.keys(fields).find((name) => !known.has(name));
  if (other === undefined) return;
  throw new BadLine(
    `${path}${other.slice(0, 64)} is not taken by a batch; taken are ${[...known].join(", ")}`,
  );
}

function makeMessage(role: Role, parts: ContentPart[]): Message {
  return create(MessageSchema, { role, parts });
}

function makeText(text: string): ContentPart {
  return create(ContentPartSchema, { part: { case: "text", value: text } });
}
