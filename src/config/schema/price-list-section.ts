import * as z from "zod";
import { listPrice, relation, section, wholeNumber } from "./fields.ts";
import { childValue } from "./schema-node.ts";

const MAX_TOKENS = 100_000_000;

const band = section({
  below_input_tokens: wholeNumber(
    { min: 1, max: MAX_TOKENS },
    { description: "It holds for prompts of fewer tokens; of any length when left out." },
  ).optional(),
  below_output_tokens: wholeNumber(
    { min: 1, max: MAX_TOKENS },
    { description: "It holds for answers of fewer tokens; of any length when left out." },
  ).optional(),
  input: listPrice({ description: "Per million input tokens." }),
  output: listPrice({ description: "Per million output tokens." }),
  cached_input: listPrice({
    description: "Per million input tokens that the provider read from its cache; as `input` when left out.",
  }).optional(),
});

const LAST_RIGHT =
  "a last band without below_input_tokens and below_output_tokens, which holds for all others";

/** `models[].deployments[].price` in the file. */
export const priceListSection = section({
  currency: z.enum(["USD", "CNY"], { error: "USD or CNY" }).default("USD").meta({
    title: "currency",
    description: "What the prices are in. Costs in different currencies are counted apart.",
  }),
  bands: z
    .array(band, { error: "a list of bands" })
    .min(1, { error: "at least one band" })
    .meta({ description: "The prices; the first band that holds is the price of the whole request." }),
})
  .check(
    relation(
      ["bands"],
      ({ bands }) => {
        const last = Array.isArray(bands) ? bands.at(-1) : undefined;
        const limits = ["below_input_tokens", "below_output_tokens"];
        return limits.every((limit) => childValue(last, limit) === undefined);
      },
      "ends with a band that does not always hold",
      LAST_RIGHT,
    ),
  )
  .meta({
    description:
      "What this deployment is billed by, where that is not the model's price: another list, another currency, or prices that go by length.",
  });
