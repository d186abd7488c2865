/** The form of the answer. */

import type { ResponseFormat } from "../domain/request.ts";
import type { Faults } from "./fault.ts";
import {
  isAbsent,
  NAME_RULE,
  readBoolean,
  readChoice,
  readFreeObject,
  readObject,
  readString,
} from "./read-value.ts";

/** Reads `response_format`. Plain text, which is the default, gives undefined, and so does a fault. */
export function decodeResponseFormat(value: unknown, faults: Faults): ResponseFormat | undefined {
  if (isAbsent(value)) return undefined;
  const format = readObject(value, "response_format", faults, ["type", "json_schema"]);
  if (format === undefined) return undefined;
  const types = ["text", "json_object", "json_schema"] as const;
  const type = readChoice(format.type, "response_format.type", faults, types);
  if (type === "json_schema") return decodeJsonSchema(format.json_schema, faults);
  if (!isAbsent(format.json_schema)) {
    const text = "goes with the type json_schema only";
    return faults.add("invalid_value", "response_format.json_schema", text);
  }
  return type === "json_object" ? { kind: "json_object" } : undefined;
}

function decodeJsonSchema(value: unknown, faults: Faults): ResponseFormat | undefined {
  const param = "response_format.json_schema";
  // `description` is refused like any unknown member: there is no place for it upstream yet.
  const entry = readObject(value, param, faults, ["name", "schema", "strict"]);
  if (entry === undefined) return undefined;
  const name = readString(entry.name, `${param}.name`, faults, NAME_RULE);
  const schema = readFreeObject(entry.schema, `${param}.schema`, faults);
  const strict = isAbsent(entry.strict) ? false : readBoolean(entry.strict, `${param}.strict`, faults);
  if (name === undefined || schema === undefined || strict === undefined) return undefined;
  return { kind: "json_schema", name, schema, strict };
}
