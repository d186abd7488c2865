import * as z from "zod";

import { FAULT_KINDS } from "../../domain/simulation.ts";
import { decimalNumber, plainDuration, relation, section } from "./fields.ts";

const DAY_MS = 24 * 3_600_000;
const NAME_RIGHT = "the name of a model, 1 to 256 characters";

/** A kind of fault of a simulation. */
export const faultKind = z.enum(FAULT_KINDS, { error: `one of ${FAULT_KINDS.join(", ")}` });

/** A name of a simulated model. */
export const simulatedModelName = z
  .string({ error: NAME_RIGHT })
  .min(1, { error: NAME_RIGHT })
  .max(256, { error: NAME_RIGHT });

/** One of `faults`: what goes wrong in a span of time. */
export const scheduledFault = section({
  kind: faultKind.meta({
    title: "kind",
    description: `What goes wrong: ${FAULT_KINDS.join(", ")}. \`hang\` never answers, \`cut\` breaks off in the middle, \`reset\` closes the connection.`,
  }),
  from: plainDuration(
    { minMs: 0, maxMs: 30 * DAY_MS },
    { description: "When it begins, from the start; at once when left out." },
  ).optional(),
  to: plainDuration(
    { minMs: 1, maxMs: 30 * DAY_MS },
    { description: "When it is over, from the start; never when left out." },
  ).optional(),
  ratio: decimalNumber({ min: 0, max: 1 }, { description: "The share of requests it hits." }).default(1),
  model: simulatedModelName
    .optional()
    .meta({ title: "name", description: "The only model it hits, by its name at the provider." }),
}).check(
  relation(
    ["to", "from"],
    ({ from, to }) => !(Number(to) <= Number(from)),
    "is not after from",
    "a later time",
  ),
);
