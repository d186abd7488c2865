/** `--weights quality=2,latency=1,cost=0`. */

import { create } from "@bufbuild/protobuf";
import { type PriorityWeights, PriorityWeightsSchema } from "../../gen/sluice/v1/generation_pb.ts";
import { parseNumberOption, parseWordOption } from "./option-value.ts";
import { printable } from "./printable-text.ts";
import { UsageError } from "./usage-error.ts";

const GOODS = ["quality", "latency", "cost"] as const;

/** Reads pairs of a good and its weight; what is left out weighs nothing. Throws UsageError. */
export function parseWeightsOption(option: string, text: string): PriorityWeights {
  const weights = new Map<(typeof GOODS)[number], number>();
  for (const pair of text.split(",")) {
    const [name = "", amount, ...rest] = pair.split("=").map((part) => part.trim());
    if (amount === undefined || rest.length > 0) {
      throw new UsageError(
        `--${option} "${printable(text)}" is no list of weights. Write for example quality=2,latency=1.`,
      );
    }
    const good = parseWordOption(option, name, GOODS);
    const weight = parseNumberOption(option, amount);
    if (weight < 0)
      throw new UsageError(`--${option} ${good} is ${printable(amount)}; it must be 0 or more.`);
    if (weights.has(good)) throw new UsageError(`--${option} names ${good} twice.`);
    weights.set(good, weight);
  }
  if (![...weights.values()].some((weight) => weight > 0)) {
    throw new UsageError(`--${option} "${printable(text)}" weighs nothing; one weight must be above 0.`);
  }
  return create(PriorityWeightsSchema, Object.fromEntries(weights));
}
