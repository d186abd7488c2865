import * as z from "zod";

import { optionalFlag, section, wholeNumber } from "./fields.ts";
import { deploymentFields, minInterval, modelFields, price, tierFields } from "./model-section.ts";
import { namedMap } from "./name-fields.ts";

const MAX_TOKENS = 100_000_000;
const tokens = (description: string) => wholeNumber({ min: 1, max: MAX_TOKENS }, { description }).optional();
const tier = (description: string) => wholeNumber({ min: 1, max: 5 }, { description }).optional();

const change = section({
  disabled: optionalFlag({ description: "Whether the model is left out." }),
  upstream_model: deploymentFields.upstream_model,
  thinking: deploymentFields.thinking,
  context_window_tokens: tokens("The most tokens of prompt and answer together."),
  max_output_tokens: tokens("The most tokens of an answer."),
  vision: optionalFlag({ description: "Whether it understands images." }),
  tools: optionalFlag({ description: "Whether it calls tools." }),
  json_object: optionalFlag({ description: "Whether it can be made to answer with a JSON object." }),
  json_schema: optionalFlag({
    description: "Whether it can be made to answer with JSON that follows a schema.",
  }),
  long_context: optionalFlag({ description: "Whether it is fit for very long prompts." }),
  tiers: section({
    speed: tier(tierFields.speed),
    quality: tier(tierFields.quality),
    cost: tier(tierFields.cost),
  })
    .optional()
    .meta({ description: "How the model compares with the others." }),
  price_usd_per_million_tokens: price.optional(),
  task_suitability: modelFields.task_suitability,
  request_overrides: z
    .record(z.string(), z.unknown(), { error: "a map (key: value)" })
    .optional()
    .meta({ title: "map", description: "Members of the request body, instead of the built-in ones." }),
  concurrency: wholeNumber(
    { min: 1, max: 100_000 },
    { description: "The most attempts in flight at once, at the first of its deployments." },
  ).optional(),
  min_interval: minInterval(", at the first of its deployments").optional(),
});

/** `catalog` in the file. */
export const catalogSection = namedMap("models", change, {
  description:
    "Changes to built-in models, by name; what is left out stays. Without `providers` and `models` only. Fields of deployments change the first one.",
});
