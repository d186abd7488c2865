import * as z from "zod";

import {
  describeDurationsOrSeconds,
  MAX_DURATION_MS,
  parseDurationOrSeconds,
  SECONDS_PATTERN,
} from "../values/duration.ts";
import { readAs } from "../values/parsed.ts";
import { failureThreshold, recoveryTime } from "./breaker-section.ts";
import {
  decimalNumber,
  descriptionText,
  onlyOneOf,
  relation,
  section,
  useParsed,
  wholeNumber,
} from "./fields.ts";
import { namedMap, nameList, repeatedName } from "./name-fields.ts";

const INTERVAL_LIMITS = { minMs: 1_000, maxMs: MAX_DURATION_MS } as const;
const INTERVAL_RIGHT = `${describeDurationsOrSeconds(INTERVAL_LIMITS.minMs, INTERVAL_LIMITS.maxMs)}; or off`;

const rotation = z.enum(["round_robin", "least_recently_used", "weighted", "adaptive", "fixed"], {
  error: "round_robin, least_recently_used, weighted, adaptive or fixed",
});

const healthCheckInterval = z
  .union([z.string().meta({ pattern: `^off$|${SECONDS_PATTERN}` }), z.number()], { error: INTERVAL_RIGHT })
  .transform((interval, context) => {
    if (interval === "off") return undefined;
    const { minMs, maxMs } = INTERVAL_LIMITS;
    const parsed = parseDurationOrSeconds(String(interval), minMs, maxMs);
    return useParsed(
      parsed.ok ? readAs(parsed.value) : { ...parsed, right: INTERVAL_RIGHT },
      context,
      interval,
    );
  })
  .prefault("off")
  .meta({
    title: "duration, seconds or off",
    examples: ["off", "30s", 30],
    description: "How often an instance without traffic is asked for one token; `off` means never.",
  });

/** `fallback` of a pool in the file. */
export const poolFallbackSection = section({
  strategy: z
    .enum(["instance_rotation", "simple_retry"], { error: "instance_rotation or simple_retry" })
    .default("instance_rotation")
    .meta({
      title: "strategy",
      description:
        "After a failed attempt: `instance_rotation` takes another instance, `simple_retry` the same one again.",
    }),
  max_instance_attempts: wholeNumber(
    { min: 1, max: 10 },
    { description: "The most attempts of a request through the pool." },
  ).default(2),
}).meta({ description: "What the pool does when an attempt failed." });

const pool = section({
  name: repeatedName(),
  description: descriptionText(),
  members: nameList("groups, models or other targets", {
    description: "What the pool is made of; each deployment behind these names is an instance. Required.",
  }).optional(),
  task_groups: nameList("groups, models or other targets", { description: "The same as `members`." })
    .optional()
    .meta({ $comment: "Synonym of members." }),
  rotation: rotation.optional().meta({
    title: "rotation",
    description:
      "In which order the instances are taken: in turn (`round_robin`, when left out), the one that rested longest, in proportion to `weights`, by the router's evidence, or as written.",
  }),
  rotation_strategy: rotation.optional().meta({
    title: "rotation",
    description: "The same as `rotation`.",
    $comment: "Synonym of rotation.",
  }),
  weights: z
    .record(
      z.string(),
      decimalNumber({ min: 0, max: 1_000_000 }, { description: "The instance's weight." }),
      {
        error: "a map from model names or deployment ids to weights",
      },
    )
    .optional()
    .meta({
      title: "map of weights",
      description:
        "By deployment id or model name, only with the rotation `weighted`; 1 where absent, 0 for when nothing else is left.",
    }),
  health_check_interval: healthCheckInterval,
  failure_threshold: failureThreshold(
    "Consecutive failures that open the circuit breaker of an instance; 3 when only `recovery_time` is given. Without both the deployments' own breaker counts.",
  ).optional(),
  recovery_time: recoveryTime(
    "How long it stays open before an attempt may try; 60s when only `failure_threshold` is given.",
  ).optional(),
  fallback: poolFallbackSection.optional(),
  fallback_config: poolFallbackSection
    .optional()
    .meta({ description: "The same as `fallback`.", $comment: "Synonym of fallback." }),
})
  .check(
    onlyOneOf("task_groups", "members"),
    onlyOneOf("rotation_strategy", "rotation"),
    onlyOneOf("fallback_config", "fallback"),
    relation(
      ["members", "task_groups"],
      (entry) => entry.members !== undefined || entry.task_groups !== undefined,
      "is missing",
      "a list of names of groups, models or other targets",
    ),
    relation(
      ["weights", "rotation", "rotation_strategy"],
      (entry) =>
        entry.weights === undefined || [entry.rotation, entry.rotation_strategy].includes("weighted"),
      "is given without the rotation weighted",
      "rotation: weighted, or no weights",
    ),
  )
  .meta({ description: "A pool is asked for by its name." });

/** One of `pools`. */
export type PoolEntry = z.output<typeof pool>;

/** `pools` in the file. */
export const poolsSection = namedMap("pools", pool, {
  description: "Polling pools: equal instances, taken in turn.",
});
