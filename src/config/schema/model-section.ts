import * as z from "zod";

import { TASK_TYPES } from "../../domain/deployment.ts";
import { MAX_DURATION_MS } from "../values/duration.ts";
import {
  decimalNumber,
  descriptionText,
  flag,
  isAtMost,
  line,
  optionalFlag,
  plainDuration,
  relation,
  section,
  usdPrice,
  wholeNumber,
} from "./fields.ts";
import { targetNameText } from "./name-fields.ts";
import { parametersSection } from "./parameters-section.ts";
import { priceListSection } from "./price-list-section.ts";
import { childValue } from "./schema-node.ts";

const VISIBLE_RIGHT = "1 to 200 visible ASCII characters without spaces";
const VISIBLE = /^[\x21-\x7e]{1,200}$/;

/** The adapter writes these itself. */
const FIXED_MEMBERS = ["model", "messages", "stream"] as const;

const tier = (description: string) => wholeNumber({ min: 1, max: 5 }, { description }).default(3);

/** What the tiers mean. */
export const tierFields = {
  speed: "From 1 (fastest) to 5. What is believed of its speed until it is measured.",
  quality: "From 1 to 5 (best).",
  cost: "From 1 (cheapest) to 5.",
} as const;

const tiers = section({
  speed: tier(tierFields.speed),
  quality: tier(tierFields.quality),
  cost: tier(tierFields.cost),
})
  .prefault({})
  .meta({ description: "How the model compares with the others." });

/** A flat price in US dollars. */
export const price = section({
  input: usdPrice({ description: "Per million input tokens." }),
  output: usdPrice({ description: "Per million output tokens." }),
  cached_input: usdPrice({
    description: "Per million input tokens that the provider read from its cache; as `input` when left out.",
  }).optional(),
}).meta({
  description:
    "The list price in US dollars, kept exactly. Without it the cost of the model's answers is unknown, not zero.",
});

const taskSuitability = section(
  Object.fromEntries(
    TASK_TYPES.map((task) => [
      task,
      decimalNumber(
        { min: 0, max: 1 },
        { description: `How well it does ${task.replaceAll("_", " ")}.` },
      ).optional(),
    ]),
  ) as Record<(typeof TASK_TYPES)[number], z.ZodOptional<z.ZodNumber>>,
)
  .prefault({})
  .meta({
    description: "How well the model does a task, from 0 to 1. A task that is left out counts as 0.5.",
  });

/** The field `min_interval`; `where` ends the first sentence of its description. */
export function minInterval(where: string) {
  return plainDuration(
    { minMs: 1, maxMs: MAX_DURATION_MS },
    {
      description: `The least time between two attempts that this process starts${where}. Meanwhile others are chosen; where there are none, requests wait in order, within their deadlines. None when left out.`,
      examples: ["500ms", "2s"],
    },
  );
}

const limits = section({
  concurrency: wholeNumber(
    { min: 1, max: 100_000 },
    { description: "The most attempts in flight at once. No limit when left out." },
  ).optional(),
  rpm: wholeNumber(
    { min: 1, max: 100_000_000 },
    {
      description:
        "The attempts per minute to stay under. Sluice goes above it only when nothing else is left to try. No limit when left out.",
    },
  ).optional(),
  tpm: wholeNumber(
    { min: 1, max: 100_000_000_000 },
    {
      description:
        "The tokens per minute to stay under, of prompts and answers together. Sluice goes above it only when nothing else is left to try. No limit when left out.",
    },
  ).optional(),
  min_interval: minInterval("").optional(),
})
  .prefault({})
  .meta({ description: "What the provider allows, or what you want to give it at most." });

/** Fields that built-in models have too. */
export const modelFields = { task_suitability: taskSuitability } as const;
export const deploymentFields = {
  thinking: optionalFlag({
    description:
      "Whether it thinks before it answers, for requests that do not say and whose priority is balanced: quality means yes, speed and cost mean no. Left to the provider when left out. Only where it can be told.",
  }),
  upstream_model: line(VISIBLE_RIGHT, VISIBLE)
    .optional()
    .meta({
      title: "text",
      description: "The model's name at the provider. The model's own `name` when left out.",
      examples: ["glm-4.7-flash"],
    }),
} as const;

/** `models[].deployments[]` in the file. */
export const deployment = section({
  id: line(VISIBLE_RIGHT, VISIBLE)
    .optional()
    .meta({
      title: "text",
      description:
        "Its name in logs, metrics and answers; unique. `<provider>/<upstream_model>` when left out.",
      examples: ["glm/glm-4.7-flash"],
    }),
  provider: z
    .string({ error: "the name of a provider" })
    .meta({ title: "text", description: "The name of one of `providers`.", examples: ["glm"] }),
  upstream_model: deploymentFields.upstream_model,
  thinking: deploymentFields.thinking,
  request_overrides: z
    .record(z.string(), z.unknown(), { error: "a map (key: value)" })
    .default({})
    .check(({ value, issues }) => {
      for (const member of FIXED_MEMBERS.filter((name) => Object.hasOwn(value, name))) {
        issues.push({
          code: "custom",
          input: value,
          path: [member],
          message: `request_overrides without ${FIXED_MEMBERS.join(", ")}: Sluice writes these itself`,
          params: { wrong: "cannot be overridden" },
        });
      }
    })
    .meta({
      title: "map",
      description: "Members added to the request body that is sent to the provider, for example `top_k`.",
    }),
  parameters: parametersSection,
  price: priceListSection.optional(),
  limits,
  concurrency_limit: wholeNumber(
    { min: 1, max: 100_000 },
    { description: "The same as `limits.concurrency`; only one of the two." },
  ).optional(),
}).check(
  relation(
    ["concurrency_limit", "limits"],
    (entry) => entry.concurrency_limit === undefined || childValue(entry.limits, "concurrency") === undefined,
    "is given beside limits.concurrency",
    "only one of the two",
  ),
);

const model = section({
  name: targetNameText().meta({
    title: "text",
    description: "What callers ask for; unique.",
    examples: ["glm-4.6-flash"],
  }),
  description: descriptionText(),
  context_window_tokens: wholeNumber(
    { min: 1, max: 100_000_000 },
    { description: "The most tokens of prompt and answer together." },
  ),
  max_output_tokens: wholeNumber(
    { min: 1, max: 100_000_000 },
    { description: "The most tokens of an answer; at most `context_window_tokens`." },
  ),
  vision: flag(false, { description: "Whether it understands images." }),
  tools: flag(false, { description: "Whether it calls tools." }),
  json_object: flag(false, { description: "Whether it can be made to answer with a JSON object." }),
  json_schema: flag(false, {
    description: "Whether it can be made to answer with JSON that follows a schema.",
  }),
  long_context: flag(false, { description: "Whether it is fit for very long prompts." }),
  tiers,
  price_usd_per_million_tokens: price.optional(),
  task_suitability: taskSuitability,
  deployments: z
    .array(deployment, { error: "a list of deployments" })
    .min(1, { error: "at least one deployment" })
    .meta({ description: "What serves the model, in order of preference." }),
}).check(
  relation(
    ["max_output_tokens", "context_window_tokens"],
    (entry) => isAtMost(entry.max_output_tokens, entry.context_window_tokens),
    "is more than context_window_tokens",
    "at most context_window_tokens, which counts prompt and answer together",
  ),
);

/** `models` in the file. */
export const modelsSection = z
  .array(model, { error: "a list of models" })
  .min(1, { error: "at least one model" })
  .meta({
    description:
      "The catalog: the names callers ask for. Given together with `providers`; it replaces the built-in models as a whole; `catalog` changes single ones.",
  });
