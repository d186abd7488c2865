import type * as z from "zod";

import { findNearName } from "../near-name.ts";
import { type ConfigProblem, quoteName, type ValuePath } from "../problem.ts";
import type { YamlSource } from "../yaml-source.ts";
import { plainSchema } from "./json-schema.ts";
import { schemaAt, valueAt } from "./schema-node.ts";

/** Words what the schema found wrong. `value` is what the schema was given. */
export function listSchemaProblems(
  error: z.ZodError | undefined,
  value: unknown,
  file: YamlSource,
): ConfigProblem[] {
  return (error?.issues ?? []).flatMap((issue) => {
    const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
    if (file.isBroken(path)) return [];
    if (issue.code === "unrecognized_keys") {
      return issue.keys
        .filter((key) => !file.isBroken([...path, key]))
        .map((key) => wordUnknownKey([...path, key], value, file));
    }
    if (issue.code === "invalid_key") {
      return [file.problemAtKey(path, "has a name that is not right", issue.message)];
    }
    const wrong: unknown = issue.code === "custom" ? issue.params?.wrong : undefined;
    const words = typeof wrong === "string" ? wrong : describeActual(path, value, issue.code, file);
    return [file.problemAt(path, words, issue.message)];
  });
}

function wordUnknownKey(path: ValuePath, value: unknown, file: YamlSource): ConfigProblem {
  const key = String(path.at(-1));
  const known = Object.keys(schemaAt(plainSchema(), value, path.slice(0, -1))?.properties ?? {});
  const near = findNearName(key, known);
  return near === undefined
    ? file.problemAtKey(path, "is not a key that Sluice knows", `one of ${known.join(", ")}`)
    : file.problemAtKey(path, "is not a key that Sluice knows", `${quoteName(near)} (did you mean that?)`);
}

/** Says what is there without repeating text, which may be secret. */
function describeActual(path: ValuePath, value: unknown, code: string, file: YamlSource): string {
  const actual = valueAt(value, path);
  if (actual === undefined) return "is missing";
  if (actual === null) return "has no value";
  if (Array.isArray(actual)) return actual.length === 0 ? "is an empty list" : "is a list";
  switch (typeof actual) {
    case "object":
      return "is a map";
    case "number": {
      const schema = schemaAt(plainSchema(), value, path);
      if (schema?.title === "duration") return "is a number without a unit";
      // A password may be all digits.
      if (schema?.type === "string") return "is a number without quotes";
      return file.isInterpolated(path) ? "is another number" : `is ${actual}`;
    }
    case "boolean":
      return `is ${actual}`;
    default:
      if (actual === "") return "is empty";
      if (code === "invalid_type") return "is text";
      return code === "invalid_value" || code === "invalid_union" ? "is none of the choices" : "does not fit";
  }
}
