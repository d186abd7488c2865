import * as z from "zod";

import { MAX_DURATION_MS } from "../values/duration.ts";
import { durationOrSeconds, plainDuration, relation, section, wholeNumber } from "./fields.ts";

const THRESHOLD_LIMITS = { min: 1, max: 10_000 } as const;
const TIME_LIMITS = { minMs: 1, maxMs: MAX_DURATION_MS } as const;
const PROBE_LIMITS = { min: 1, max: 1_000 } as const;

/** What makes the preset `counting`. */
const COUNTING_FIELDS = ["failure_threshold", "recovery_time", "half_open_requests"] as const;

/** `routing.breaker` in the file. */
export const breakerSection = section({
  preset: z.enum(["adaptive", "counting"], { error: "adaptive or counting" }).optional().meta({
    title: "preset",
    description:
      "`adaptive` opens by the evidence and stays open for a time that grows; `counting` opens after failures in a row and stays open for a fixed time. Without it `counting` when one of the other three is given, else `adaptive`.",
  }),
  failure_threshold: wholeNumber(THRESHOLD_LIMITS, {
    description:
      "Only with `counting`: consecutive failures that open a deployment's circuit breaker; 5 when left out.",
  }).optional(),
  recovery_time: plainDuration(TIME_LIMITS, {
    description: "Only with `counting`: how long it stays open before attempts may try; 30s when left out.",
  }).optional(),
  half_open_requests: wholeNumber(PROBE_LIMITS, {
    description: "Only with `counting`: attempts that may try at once after that; 1 when left out.",
  }).optional(),
})
  .check(
    ...COUNTING_FIELDS.map((field) =>
      relation(
        [field, "preset"],
        (breaker) => breaker[field] === undefined || breaker.preset !== "adaptive",
        "is given beside the preset adaptive",
        "the preset counting, or only the preset",
      ),
    ),
  )
  .prefault({})
  .meta({ description: "When a deployment that keeps failing is left alone." });

/** `circuit_breaker` of a group, with the figures of the documents it comes from. */
export const circuitBreakerSection = section({
  failure_threshold: wholeNumber(THRESHOLD_LIMITS, {
    description: "Consecutive failures that open it.",
  }).default(5),
  recovery_time: durationOrSeconds(TIME_LIMITS, {
    description: "How long it stays open before attempts may try.",
  }).prefault("60s"),
  half_open_requests: wholeNumber(PROBE_LIMITS, {
    description: "Attempts that may try at once after that.",
  }).default(1),
}).meta({
  description:
    "A counting circuit breaker for deployments used through the group. Their own, as in `routing.breaker`, when left out.",
});

/** The threshold of a pool's breaker. */
export function failureThreshold(description: string) {
  return wholeNumber(THRESHOLD_LIMITS, { description });
}

/** The open time of a pool's breaker. */
export function recoveryTime(description: string) {
  return durationOrSeconds(TIME_LIMITS, { description });
}
