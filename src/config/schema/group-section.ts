import * as z from "zod";

import { MAX_DURATION_MS } from "../values/duration.ts";
import { circuitBreakerSection } from "./breaker-section.ts";
import { chosenSchema } from "./chosen-schema.ts";
import {
  decimalNumber,
  descriptionText,
  durationOrSeconds,
  onlyOneOf,
  relation,
  section,
  wholeNumber,
} from "./fields.ts";
import { namedMap, nameList, repeatedName } from "./name-fields.ts";
import { toJsonSchema } from "./to-json-schema.ts";

/** What the keys of echelons look like. */
export const ECHELON_KEY = /^echelon[1-9][0-9]{0,2}$/;

const echelonSection = section({
  models: nameList("`models`", { description: "The models of the echelon, in order of preference." }),
  priority: wholeNumber(
    { min: 0, max: 1_000 },
    {
      description: "A lower number is tried earlier; the number in the echelon's name when left out.",
    },
  ).optional(),
  concurrency_limit: wholeNumber(
    { min: 1, max: 100_000 },
    { description: "The most attempts in flight at once through the echelon. No limit when left out." },
  ).optional(),
  rpm_limit: wholeNumber(
    { min: 1, max: 100_000_000 },
    { description: "The most attempts per minute through the echelon. No limit when left out." },
  ).optional(),
  timeout: durationOrSeconds(
    { minMs: 1, maxMs: MAX_DURATION_MS },
    { description: "The most time of one attempt; as `routing.timeouts.total` when left out." },
  ).optional(),
  max_retries: wholeNumber(
    { min: 0, max: 100 },
    {
      description:
        "The most retries of one attempt at the same deployment; as `routing.retry` when left out.",
    },
  ).optional(),
  temperature: decimalNumber(
    { min: 0, max: 2 },
    { description: "Used where the request names none." },
  ).optional(),
  max_tokens: wholeNumber(
    { min: 1, max: 100_000_000 },
    {
      description: "The most tokens of an answer where the request names none; larger figures are cut to it.",
    },
  ).optional(),
}).meta({ description: "Models that are equal as far as the group is concerned, and how they are used." });

/** `fallback` of a group in the file. */
export const groupFallbackSection = section({
  strategy: z
    .enum(["echelon_down", "task_group_switch", "provider_failover"], {
      error: "echelon_down, task_group_switch or provider_failover",
    })
    .default("echelon_down")
    .meta({
      title: "strategy",
      description:
        "After a failed attempt: `echelon_down` goes on to the next echelon, `task_group_switch` to the groups of `targets`, `provider_failover` to another provider wherever in the group it is.",
    }),
  targets: nameList("groups, echelons or other targets", {
    description:
      "Where to go on, in order. Required for `task_group_switch`; for the others it comes after the group's own echelons.",
  }).optional(),
  fallback_groups: nameList("groups, echelons or other targets", { description: "The same as `targets`." })
    .optional()
    .meta({ $comment: "Synonym of targets." }),
  max_attempts: wholeNumber(
    { min: 1, max: 10 },
    { description: "The most attempts of a request through the group." },
  ).default(3),
  retry_delay: durationOrSeconds(
    { minMs: 0, maxMs: 60_000 },
    { description: "Waited before each further attempt." },
  ).prefault("1s"),
  circuit_breaker: circuitBreakerSection.optional(),
})
  .check(onlyOneOf("fallback_groups", "targets"))
  .meta({ description: "What the group does when an attempt failed." });

const plainGroup = section({
  name: repeatedName(),
  description: descriptionText(),
  rotation: z
    .enum(["adaptive", "fixed", "round_robin", "least_recently_used"], {
      error: "adaptive, fixed, round_robin or least_recently_used",
    })
    .default("adaptive")
    .meta({
      title: "rotation",
      description:
        "In which order the deployments of an echelon are taken: by the router's evidence, as written, in turn, or the one that rested longest.",
    }),
  fallback: groupFallbackSection.optional(),
  fallback_config: groupFallbackSection
    .optional()
    .meta({ description: "The same as `fallback`.", $comment: "Synonym of fallback." }),
  echelons: z
    .record(z.string().regex(ECHELON_KEY, { error: "echelon1, echelon2 and so on" }), echelonSection, {
      error: (issue) =>
        issue.code === "invalid_key" ? "echelon1, echelon2 and so on" : "a map of echelons by name",
    })
    .optional()
    .meta({
      title: "map",
      description: "The echelons in a map of their own, instead of beside the other keys.",
      $comment: "Synonym of echelon<N>.",
    }),
}).check(onlyOneOf("fallback_config", "fallback"));

type Echelons = Readonly<Record<string, z.output<typeof echelonSection>>>;

/** One of `groups`, its echelons in one map. */
export interface GroupEntry extends Omit<z.output<typeof plainGroup>, "echelons"> {
  readonly echelons: Echelons;
}

/** Building a schema costs about a millisecond, and most groups have the same few keys. */
const builtGroups = new Map<string, z.ZodType<GroupEntry>>();
const MAX_BUILT_COUNT = 100;

function chooseGroup(value: unknown): z.ZodType<GroupEntry> {
  const keys = Object.keys(typeof value === "object" && value !== null ? value : {});
  const numbered = keys.filter((key) => ECHELON_KEY.test(key));
  const name = numbered.join();
  const built = builtGroups.get(name) ?? buildGroup(numbered);
  if (builtGroups.size < MAX_BUILT_COUNT) builtGroups.set(name, built);
  return built;
}

/** The schema of one group: the usual keys, and an echelon for each numbered key it has. */
function buildGroup(numbered: readonly string[]): z.ZodType<GroupEntry> {
  const [first] = numbered;
  const extended = plainGroup.safeExtend(Object.fromEntries(numbered.map((key) => [key, echelonSection])));
  // Keys that are known only now have no types.
  const whole = extended as unknown as typeof plainGroup;
  return (first === undefined ? whole : whole.check(onlyOneOf("echelons", first)))
    .check(
      relation(
        ["echelon1", "echelons", ...numbered],
        ({ echelons }) => numbered.length > 0 || Object.keys(echelons ?? {}).length > 0,
        "is missing",
        "at least one echelon, with the models it is made of",
      ),
    )
    .transform((entry): GroupEntry => {
      const beside = Object.entries(entry).filter(([key]) => numbered.includes(key));
      return { ...entry, echelons: entry.echelons ?? (Object.fromEntries(beside) as unknown as Echelons) };
    });
}

/** `groups` in the file. */
export const groupsSection = namedMap(
  "groups",
  chosenSchema(chooseGroup, {
    ...toJsonSchema(plainGroup),
    patternProperties: { [ECHELON_KEY.source]: toJsonSchema(echelonSection) },
    description: "A group is asked for by its name, one of its echelons as `<group>.echelon1`.",
  }),
  { description: "Task groups: echelons of models, tried from the first down." },
);
