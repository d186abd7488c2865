import { MAX_DURATION_MS } from "../values/duration.ts";
import { duration, section, wholeNumber } from "./fields.ts";

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

const breaker = section({
  failure_threshold: wholeNumber(
    { min: 1, max: 10_000 },
    { description: "Consecutive failures that open a deployment's circuit breaker." },
  ).default(5),
  recovery_time: duration(
    { minMs: 1, maxMs: MAX_DURATION_MS, defaultMs: 30_000 },
    { description: "How long it stays open before one attempt may try." },
  ),
})
  .prefault({})
  .meta({ description: "When a deployment that keeps failing is left alone." });

/** `routing` in the file. */
export const routingSection = section({
  max_attempts: wholeNumber({ min: 1, max: 100 }, { description: "The most attempts per request." }).default(
    3,
  ),
  timeouts,
  breaker,
  max_waiting_attempts: wholeNumber(
    { min: 0, max: 1_000_000 },
    { description: "The most attempts waiting for a deployment's concurrency limit." },
  ).default(256),
});
