import * as z from "zod";

import type { SchemaNode } from "./schema-node.ts";

/**
 * A value whose schema depends on what it looks like: a map or a list, a map with
 * numbered keys. Its problems are those of the chosen schema, so they are as exact as
 * elsewhere; a union would only say that nothing fits. `json` stands for it in the JSON Schema.
 */
export function chosenSchema<Output>(choose: (value: unknown) => z.ZodType<Output>, json: SchemaNode) {
  return z
    .unknown()
    .transform((value, context): Output => {
      const result = choose(value).safeParse(value);
      if (result.success) return result.data;
      // They are finished, so they pass through as they are; only their type asks for the input.
      context.issues.push(...(result.error.issues as z.core.$ZodRawIssue[]));
      return z.NEVER;
    })
    .meta({ ...json });
}
