import * as z from "zod";

import { decimalNumber, plainDuration, wholeNumber } from "./fields.ts";
import { scheduledFault } from "./scheduled-fault.ts";

const SPREAD = "The figure beside it is then the median of a log-normal distribution.";

/** The fields of a provider of kind `simulator` that make it behave like a busy one; all may be left out. */
export const simulatedBehaviourFields = {
  time_to_first_token_p95: plainDuration(
    { minMs: 0, maxMs: 3_600_000 },
    { description: `What 95 of 100 first tokens take at most. ${SPREAD}` },
  ).optional(),
  tokens_per_second_p95: decimalNumber(
    { min: 0.001, max: 1_000_000 },
    { description: `What 95 of 100 answers come at, at most. ${SPREAD}` },
  ).optional(),
  output_tokens_p95: wholeNumber(
    { min: 1, max: 1_000_000 },
    { description: `What 95 of 100 answers have at most. ${SPREAD}` },
  ).optional(),
  requests_per_minute: wholeNumber(
    { min: 1, max: 1_000_000_000 },
    { description: "The most attempts per minute and model; others are refused as `rate_limit`." },
  ).optional(),
  tokens_per_minute: wholeNumber(
    { min: 1, max: 1_000_000_000 },
    { description: "The same for tokens of prompts and answers together." },
  ).optional(),
  faults: z.array(scheduledFault, { error: "a list of scheduled faults" }).optional().meta({
    description:
      "What goes wrong when: maps with `kind`, and `from`, `to`, `ratio`, `model` where wanted. The first that is running and hits wins. The page of the simulator lists the kinds.",
  }),
};
