import * as z from "zod";

import { chosenSchema } from "./chosen-schema.ts";
import { descriptionText, line, section } from "./fields.ts";
import { namedMap, nameList, repeatedName } from "./name-fields.ts";
import { toJsonSchema } from "./to-json-schema.ts";

/** The roles that documents name, in the order in which they are meant to be tried. */
export const USUAL_ROLES: readonly string[] = ["primary", "duplicate", "reserve", "fallback"];

const ROLE_RIGHT = "a name of 1 to 64 letters, digits, `_` or `-`, beginning with a letter";
const ROLES_RIGHT = "a map (role: [models]) or a list of maps with role and models, at least one";

interface Role {
  readonly role: string;
  readonly models: readonly string[];
}

const roleName = () => line(ROLE_RIGHT, /^[A-Za-z][A-Za-z0-9_-]{0,63}$/);
const models = nameList("`models`", { description: "The models of the role, in order of preference." });

const roleMap = z
  .record(roleName(), models, {
    error: (issue) => (issue.code === "invalid_key" ? ROLE_RIGHT : ROLES_RIGHT),
  })
  .refine((roles) => Object.keys(roles).length > 0, { error: ROLES_RIGHT, params: { wrong: "is empty" } });

const roleList = z
  .array(
    section({ role: roleName().meta({ title: "text", description: "The role's name; unique." }), models }),
    { error: ROLES_RIGHT },
  )
  .min(1, { error: ROLES_RIGHT })
  .check(({ value, issues }) => {
    for (const [index, { role }] of value.entries()) {
      if (value.findIndex((other) => other.role === role) === index) continue;
      const params = { wrong: "is the role of an earlier entry" };
      issues.push({ code: "custom", input: value, path: [index, "role"], message: "each role once", params });
    }
  });

function chooseRoles(value: unknown): z.ZodType<readonly Role[]> {
  if (Array.isArray(value)) return roleList;
  return roleMap.transform((roles) =>
    Object.entries(roles).map(([role, names]) => ({ role, models: names })),
  );
}

const chain = section({
  name: repeatedName(),
  description: descriptionText(),
  roles: chosenSchema(chooseRoles, {
    title: "map or list",
    description: `Who is tried in which order, as written: a map such as \`primary: [glm-4.6]\`, or a list of maps with \`role\` and \`models\`. The usual order is ${USUAL_ROLES.join(", ")}. The models of \`duplicate\` judge best-of-two.`,
    anyOf: [toJsonSchema(roleMap), toJsonSchema(roleList)],
  }),
  selection: z
    .enum(["fixed", "fastest", "adaptive"], { error: "fixed, fastest or adaptive" })
    .default("fixed")
    .meta({
      title: "selection",
      description:
        "In which order the models of a role are taken: as written, the one first that answered fastest lately (an unmeasured one before it), or by the router's evidence.",
    }),
  strategy: z.enum(["single", "best_of_two"], { error: "single or best_of_two" }).optional().meta({
    title: "strategy",
    description: "One answer, or two of which the better is kept. Left out: as defaults.strategy says.",
  }),
}).meta({ description: "A chain is asked for by its name." });

/** One of `chains`. */
export type ChainEntry = z.output<typeof chain>;

/** `chains` in the file. */
export const chainsSection = namedMap("chains", chain, {
  description: "Roles of models: each is tried when the one before it failed.",
});
