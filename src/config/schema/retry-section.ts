import * as z from "zod";

import { FAILURE_CLASSES } from "../../domain/outcome.ts";
import { decimalNumber, isAtMost, plainDuration, relation, section, wholeNumber } from "./fields.ts";

/** Failures after which another try is thinkable; after `cancelled` nobody waits for it. */
const RETRYABLE = FAILURE_CLASSES.filter((name) => name !== "cancelled");

/** Failures after which the same deployment is tried again unless the file says otherwise. */
const DEFAULT_RETRYABLE: (typeof RETRYABLE)[number][] = [
  "rate_limit",
  "server_error",
  "overloaded",
  "network",
  "stream_interrupted",
];

const DELAY_LIMITS = { minMs: 0, maxMs: 600_000 } as const;

const maxRetries = wholeNumber(
  { min: 0, max: 100 },
  { description: "The most retries of one attempt at the same deployment." },
);
const baseDelay = plainDuration(DELAY_LIMITS, { description: "The delay before the first retry." });
const maxDelay = plainDuration(DELAY_LIMITS, { description: "The longest delay before a retry." });
const multiplier = decimalNumber(
  { min: 1, max: 100 },
  { description: "Each delay is this many times the one before." },
);
const jitter = decimalNumber(
  { min: 0, max: 1 },
  {
    description:
      "The share of the delay that chance may take off, so that those who failed together do not come back together.",
  },
);
const on = z
  .array(z.enum(RETRYABLE, { error: `one of ${RETRYABLE.join(", ")}` }), {
    error: "a list of failure classes",
  })
  .meta({
    title: "list of failure classes",
    description: `The failures after which it is tried again, of ${RETRYABLE.map((name) => `\`${name}\``).join(", ")}.`,
  });

const delayRule = relation(
  ["base_delay", "max_delay"],
  (retry) => isAtMost(retry.base_delay, retry.max_delay),
  "is longer than max_delay",
  "at most max_delay (8s unless the file says otherwise)",
);

/** `routing.retry` in the file. */
export const retrySection = section({
  max_retries: maxRetries.default(1),
  base_delay: baseDelay.prefault("500ms"),
  max_delay: maxDelay.prefault("8s"),
  multiplier: multiplier.default(2),
  jitter: jitter.default(0.25),
  on: on.default(DEFAULT_RETRYABLE),
})
  .check(delayRule)
  .prefault({})
  .meta({ description: "How a failed attempt is tried again at the same deployment." });

/** `retry` of a provider in the file: what it leaves out is as in `routing.retry`. */
export const providerRetrySection = section({
  max_retries: maxRetries.optional(),
  base_delay: baseDelay.optional(),
  max_delay: maxDelay.optional(),
  multiplier: multiplier.optional(),
  jitter: jitter.optional(),
  on: on.optional(),
})
  .check(delayRule)
  .meta({
    description:
      "How attempts at this provider are tried again. What is left out is as in `routing.retry`; a `base_delay` above `max_delay` is cut to it.",
  });
