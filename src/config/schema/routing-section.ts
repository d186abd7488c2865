import * as z from "zod";

import { MAX_DURATION_MS } from "../values/duration.ts";
import { breakerSection } from "./breaker-section.ts";
import { decimalNumber, duration, flag, section, wholeNumber } from "./fields.ts";
import { nameReference } from "./name-fields.ts";
import { retrySection } from "./retry-section.ts";
import { weightsSection } from "./weights-section.ts";

const timeouts = section({
  first_token: duration(
    { minMs: 1, maxMs: MAX_DURATION_MS, defaultMs: 60_000 },
    { description: "From dispatch to the first piece of the answer." },
  ),
  idle: duration(
    { minMs: 1, maxMs: MAX_DURATION_MS, defaultMs: 60_000 },
    { description: "Between two reads from the provider." },
  ),
  total: duration(
    { minMs: 1, maxMs: MAX_DURATION_MS, defaultMs: 600_000 },
    { description: "From dispatch to the end." },
  ),
})
  .prefault({})
  .meta({ description: "How long one attempt may take; the request's deadline ends it in any case." });

const budgets = section({
  retry_ratio: decimalNumber(
    { min: 0, max: 100 },
    { description: "Retries and fallbacks that each request pays for: 0.2 allows one in five." },
  ).default(0.2),
  retries_per_second: decimalNumber(
    { min: 0, max: 100_000 },
    { description: "Retries and fallbacks allowed per second besides, so that a quiet service may retry." },
  ).default(3),
  hedge_ratio: decimalNumber(
    { min: 0, max: 1 },
    { description: "Hedges that each request pays for: 0.05 allows one in twenty." },
  ).default(0.05),
})
  .prefault({})
  .meta({
    description: "How many extra attempts there may be, so that failures do not multiply the load.",
  });

const hedging = section({
  enabled: flag(true, {
    description: "Whether a second deployment is asked when the first is late with its first token.",
  }),
  min_delay: duration(
    { minMs: 1, maxMs: MAX_DURATION_MS, defaultMs: 800 },
    { description: "The least time before the second is asked." },
  ),
})
  .prefault({})
  .meta({ description: "A second attempt beside one that is late." });

const bestOfTwo = section({
  judge: nameReference("a model or another target", {
    description: "Who judges the two answers. The router's choice when left out.",
  }).optional(),
  judge_timeout: duration(
    { minMs: 1, maxMs: MAX_DURATION_MS, defaultMs: 10_000 },
    { description: "How long the judge may take; after it the first answer is kept." },
  ),
})
  .prefault({})
  .meta({ description: "Two answers to one request, of which the better is kept." });

/** `routing` in the file. */
export const routingSection = section({
  max_attempts: wholeNumber({ min: 1, max: 100 }, { description: "The most attempts per request." }).default(
    3,
  ),
  timeouts,
  retry: retrySection,
  budgets,
  hedging,
  breaker: breakerSection,
  max_waiting_attempts: wholeNumber(
    { min: 0, max: 1_000_000 },
    {
      description:
        "The most attempts waiting for a deployment's concurrency limit, and the most waiting for its limits per minute.",
    },
  ).default(256),
  performance_tracking: flag(true, {
    description:
      "Whether the choice learns from the attempts' success and speed. Breakers and limits work in any case.",
  }),
  weights: weightsSection,
  best_of_two: bestOfTwo,
  context_overflow: z
    .enum(["fail", "trim_oldest", "larger_model"], { error: "fail, trim_oldest or larger_model" })
    .default("fail")
    .meta({
      title: "word",
      description:
        "What to do with a prompt that no candidate of the target has room for, where the request does not say: fail; leave out the oldest turns; or let any model with a larger window answer.",
    }),
});
