import { configSchema } from "./config-schema.ts";
import type { SchemaNode } from "./schema-node.ts";
import { toJsonSchema } from "./to-json-schema.ts";

/** What a variable in a text looks like to editors; whether it is set they cannot know. */
const VARIABLE_PATTERN = "\\$\\{[A-Za-z_]";

let plain: SchemaNode | undefined;

/** The schema of the file after its variables have been replaced. The same object each time: do not change it. */
export function plainSchema(): SchemaNode {
  plain ??= toJsonSchema(configSchema);
  return plain;
}

/**
 * The JSON Schema (draft 7, the one all editors know) of `sluice.yaml` as people write
 * it: with variables where values may be. A new object each time.
 */
export function configJsonSchema(): SchemaNode {
  const schema = structuredClone(plainSchema());
  allowVariables(schema);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $comment: "Generated from src/config/schema by scripts/write-config-docs.ts.",
    title: "Sluice configuration",
    description: "The file sluice.yaml. Its fields are explained in docs/configuration.md.",
    ...schema,
    dependencies: { providers: ["models"], models: ["providers"] },
  };
}

/** Lets every scalar except `kind` be a text with a variable in it. */
function allowVariables(node: SchemaNode): void {
  const named = [...Object.values(node.properties ?? {}), ...Object.values(node.patternProperties ?? {})];
  for (const child of [...named, node.items, node.additionalProperties]) {
    if (typeof child === "object") allowVariables(child);
  }
  for (const option of node.oneOf ?? []) allowVariables(option);
  if (node.pattern !== undefined) node.pattern = `(?:${node.pattern})|${VARIABLE_PATTERN}`;
  for (const option of node.anyOf ?? []) allowVariables(option);
  if (node.enum !== undefined) {
    node.anyOf = [{ enum: node.enum }, { pattern: VARIABLE_PATTERN }];
    delete node.enum;
  } else if (node.type === "integer" || node.type === "number" || node.type === "boolean") {
    // A number inside `anyOf` has the text form beside it.
    node.type = [node.type, "string"];
    node.pattern = VARIABLE_PATTERN;
  }
}
