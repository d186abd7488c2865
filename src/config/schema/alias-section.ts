import * as z from "zod";

import { TASK_TYPES } from "../../domain/deployment.ts";
import { onlyOneOf, section } from "./fields.ts";
import { namedMap, nameList, nameReference } from "./name-fields.ts";

const TARGET = "a model, provider, group, echelon, pool, chain or alias, or auto";

const alias = section({
  target: nameReference(TARGET, { description: "What the name stands for.", examples: ["glm-4.6"] }),
  fallbacks: nameList("targets", {
    description: "Targets to go on to, in order, when it cannot serve. None when left out.",
  }).optional(),
  fallback_groups: nameList("targets", { description: "The same as `fallbacks`." })
    .optional()
    .meta({ $comment: "Synonym of fallbacks." }),
})
  .check(onlyOneOf("fallback_groups", "fallbacks"))
  .meta({ description: "An alias is asked for by its name." });

/** `aliases` in the file. */
export const aliasesSection = namedMap("aliases", alias, {
  description: "Other names for targets, with targets to go on to.",
});

/** `defaults` in the file. */
export const defaultsSection = section({
  target: nameReference(TARGET, {
    description: "Who answers; the router's choice among all models (`auto`) when left out.",
    examples: ["auto"],
  }).optional(),
  strategy: z
    .enum(["single", "best_of_two"], { error: "single or best_of_two" })
    .default("single")
    .meta({ title: "strategy", description: "One answer, or two of which the better is kept." }),
  task_type: z
    .enum(TASK_TYPES, { error: `one of ${TASK_TYPES.join(", ")}` })
    .optional()
    .meta({ title: "task", description: "The task; found out from the prompt when left out." }),
})
  .prefault({})
  .meta({ description: "What holds where a request says nothing." });
