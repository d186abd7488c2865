import type { ValuePath } from "../problem.ts";

/** The part of JSON Schema (draft 7) that the configuration's schema is made of. */
export interface SchemaNode {
  $schema?: string;
  $comment?: string;
  title?: string;
  description?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  examples?: unknown[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, SchemaNode>;
  required?: string[];
  dependencies?: Record<string, string[]>;
  patternProperties?: Record<string, SchemaNode>;
  additionalProperties?: SchemaNode | boolean;
  items?: SchemaNode;
  oneOf?: SchemaNode[];
  anyOf?: SchemaNode[];
}

/** The schema of one step further down, or undefined where the schema says nothing. `value` chooses among kinds. */
export function childSchema(node: SchemaNode, step: string | number, value: unknown): SchemaNode | undefined {
  const fitting = chooseKind(node, value);
  if (typeof step === "number") return fitting?.items;
  const properties = fitting?.properties;
  if (properties !== undefined && Object.hasOwn(properties, step)) return properties[step];
  for (const [pattern, schema] of Object.entries(fitting?.patternProperties ?? {})) {
    if (new RegExp(pattern, "u").test(step)) return schema;
  }
  return typeof fitting?.additionalProperties === "object" ? fitting.additionalProperties : undefined;
}

/**
 * Of several kinds of map, the one whose `kind` is the value's; of a map and a list, what
 * the value is; other schemas are what they are.
 */
export function chooseKind(node: SchemaNode, value: unknown): SchemaNode | undefined {
  if (typeof value === "object" && node.anyOf !== undefined) {
    return node.anyOf.find(({ type }) => type === (Array.isArray(value) ? "array" : "object")) ?? node;
  }
  if (node.oneOf === undefined) return node;
  const kind = childValue(value, "kind");
  return node.oneOf.find((option) => option.properties?.kind?.const === kind);
}

/** The value of one step further down in plain data; undefined when there is none. */
export function childValue(value: unknown, step: string | number): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
  return (value as Readonly<Record<string | number, unknown>>)[step];
}

/** The value at the end of a path in plain data; undefined when there is none. */
export function valueAt(root: unknown, path: ValuePath): unknown {
  return path.reduce(childValue, root);
}

/** The schema of the value at the end of a path, or undefined where the schema says nothing. */
export function schemaAt(root: SchemaNode, rootValue: unknown, path: ValuePath): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  let value = rootValue;
  for (const step of path) {
    node = node && childSchema(node, step, value);
    value = childValue(value, step);
  }
  return node && chooseKind(node, value);
}
