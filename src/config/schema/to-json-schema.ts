import * as z from "zod";

import type { SchemaNode } from "./schema-node.ts";

/** The JSON Schema (draft 7) of what a schema takes. A new object each time. */
export function toJsonSchema(schema: z.ZodType): SchemaNode {
  const json = z.toJSONSchema(schema, {
    io: "input",
    target: "draft-07",
    override({ zodSchema, jsonSchema }) {
      // zod leaves out examples of what it transforms; ours are of the text in the file.
      const examples = z.globalRegistry.get(zodSchema)?.examples;
      if (Array.isArray(examples)) jsonSchema.examples = examples;
    },
  });
  const { $schema: _, ...rest } = JSON.parse(JSON.stringify(json)) as SchemaNode;
  return rest;
}
