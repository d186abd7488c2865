/** `--explain`: tells how each attempt was decided. */

import type { Decision } from "../../gen/sluice/v1/generation_pb.ts";
import { refusesColour } from "./call-options.ts";
import { choosePaint } from "./colour.ts";
import { renderDecision } from "./decision-table.ts";
import type { OptionSpecs } from "./option-spec.ts";
import type { Arguments } from "./parse-arguments.ts";
import { chooseWidth, type Terminal } from "./terminal.ts";

/** Of the commands that make a generation. */
export const EXPLAIN_OPTIONS: OptionSpecs = {
  explain: { type: "boolean", description: "tell on standard error how each attempt was decided" },
};

/** Prints the decisions of a response on standard error; nothing where there are none. */
export async function printDecisions(
  decisions: readonly Decision[],
  args: Arguments,
  { stderr, env }: Terminal,
): Promise<void> {
  const paint = choosePaint(stderr, env, refusesColour(args));
  for (const decision of decisions) {
    await stderr.write(`${renderDecision(decision, chooseWidth(stderr, env), paint).join("\n")}\n`);
  }
}
