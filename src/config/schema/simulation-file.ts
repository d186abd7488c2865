import * as z from "zod";

import { parseApiKey } from "../values/api-key.ts";
import {
  decimalNumber,
  flag,
  isAtMost,
  parsedText,
  plainDuration,
  relation,
  section,
  usdPrice,
  wholeNumber,
} from "./fields.ts";
import { faultKind, scheduledFault, simulatedModelName } from "./scheduled-fault.ts";
import type { SchemaNode } from "./schema-node.ts";
import { toJsonSchema } from "./to-json-schema.ts";

const HOUR_MS = 3_600_000;

/** The 95th percentile is never below the median. */
const ordered = relation(
  ["p95", "median"],
  ({ p95, median }) => isAtMost(median, p95),
  "is below median",
  "median or more",
);

const numbers = (limits: { min: number; max: number }, what: string) =>
  section({
    median: decimalNumber(limits, { description: `Half of them are below. ${what}` }),
    p95: decimalNumber(limits, { description: "95 of 100 are below." }).optional(),
  }).check(ordered);

const durations = section({
  median: plainDuration({ minMs: 0, maxMs: HOUR_MS }, { description: "Half of them are below." }),
  p95: plainDuration({ minMs: 0, maxMs: HOUR_MS }, { description: "95 of 100 are below." }).optional(),
}).check(ordered);

const ratio = (description: string) => decimalNumber({ min: 0, max: 1 }, { description });

/** The file of `sluice simulate`. */
export const simulationSchema = section({
  models: z
    .array(simulatedModelName, { error: "a list of names" })
    .min(1, { error: "at least one name" })
    .optional(),
  api_key: parsedText("the key as text", parseApiKey).optional(),
  seed: wholeNumber(
    { min: 0, max: 2 ** 32 - 1 },
    { description: "Makes what is drawn repeatable." },
  ).optional(),
  call_tools: flag(false, { description: "Whether tools are called unasked." }),
  time_to_first_token: durations.optional(),
  tokens_per_second: numbers({ min: 0.001, max: 1_000_000 }, "After the first token.").optional(),
  output_tokens: numbers({ min: 1, max: 1_000_000 }, "Of an answer.").optional(),
  fault_ratios: z
    .partialRecord(faultKind, ratio("A share of all requests."), {
      error: "a map of shares by kind of fault",
    })
    .default({})
    .refine((ratios) => Object.values(ratios).reduce((sum, each) => sum + (each ?? 0), 0) <= 1 + 1e-9, {
      error: "shares of the same whole",
      params: { wrong: "is more than 1 together" },
    }),
  faults: z.array(scheduledFault, { error: "a list of scheduled faults" }).default([]),
  requests_per_minute: wholeNumber({ min: 1, max: 1e9 }, { description: "Per model." }).optional(),
  tokens_per_minute: wholeNumber({ min: 1, max: 1e9 }, { description: "Per model." }).optional(),
  price_usd_per_million_tokens: section({
    input: usdPrice({ description: "Of the prompt." }),
    output: usdPrice({ description: "Of the answer." }),
  }).optional(),
});

/** The schema as JSON Schema, for values that variables bring as text. */
export function simulationJsonSchema(): SchemaNode {
  return toJsonSchema(simulationSchema);
}
