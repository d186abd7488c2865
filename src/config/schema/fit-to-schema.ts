import type { ValuePath } from "../problem.ts";
import { parseDecimal } from "../values/decimal.ts";
import { childSchema, type SchemaNode } from "./schema-node.ts";

/**
 * Prepares plain data for the schema. A known key without a value (`server:` with all
 * its lines commented out) counts as left out. Text that came from the environment
 * becomes a number or a boolean where the schema wants one.
 */
export function fitToSchema(
  value: unknown,
  node: SchemaNode | undefined,
  isInterpolated: (path: ValuePath) => boolean,
  path: ValuePath = [],
): unknown {
  if (node === undefined) return value;
  if (typeof value === "string") return isInterpolated(path) ? convert(value, node) : value;
  if (Array.isArray(value)) {
    return value.map((item, index) =>
      fitToSchema(item, childSchema(node, index, value), isInterpolated, [...path, index]),
    );
  }
  if (typeof value !== "object" || value === null) return value;
  const entries: [string, unknown][] = [];
  for (const [key, child] of Object.entries(value)) {
    const schema = childSchema(node, key, value);
    // In maps with free keys the key itself says something, and null may be meant.
    if (child === null && schema !== undefined && typeof node.additionalProperties !== "object") continue;
    entries.push([key, fitToSchema(child, schema, isInterpolated, [...path, key])]);
  }
  return Object.fromEntries(entries);
}

function convert(text: string, node: SchemaNode): unknown {
  if (node.type === "boolean" && (text === "true" || text === "false")) return text === "true";
  if (node.type !== "integer" && node.type !== "number") return text;
  return parseDecimal(text) === undefined ? text : Number(text);
}
