/** How tokens are drawn. */

import type { Sampling } from "../domain/request.ts";
import type { Faults } from "./fault.ts";
import {
  isAbsent,
  type JsonObject,
  type NumberRule,
  readArray,
  readNumber,
  readString,
} from "./read-value.ts";

/** The largest int32, as the contract counts tokens. */
const MAX_TOKENS = 2 ** 31 - 1;

const RULES = {
  temperature: { minimum: 0, maximum: 2 },
  top_p: { minimum: 0, maximum: 1, aboveMinimum: true },
  max_tokens: { minimum: 1, maximum: MAX_TOKENS, integer: true },
  max_completion_tokens: { minimum: 1, maximum: MAX_TOKENS, integer: true },
} as const satisfies Record<string, NumberRule>;

/** Reads temperature, top_p, max_tokens, max_completion_tokens and stop; faults leave a field out. */
export function decodeSampling(body: JsonObject, faults: Faults): Sampling {
  const read = (name: keyof typeof RULES) =>
    isAbsent(body[name]) ? undefined : readNumber(body[name], name, faults, RULES[name]);
  const temperature = read("temperature");
  const topP = read("top_p");
  const oldLimitTokens = read("max_tokens");
  const newLimitTokens = read("max_completion_tokens");
  if (oldLimitTokens !== undefined && newLimitTokens !== undefined && oldLimitTokens !== newLimitTokens) {
    faults.add("invalid_value", "max_tokens", "differs from max_completion_tokens; send one of the two");
  }
  const maxOutputTokens = newLimitTokens ?? oldLimitTokens;
  const stopSequences = decodeStop(body.stop, faults);
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(stopSequences.length === 0 ? {} : { stopSequences }),
  };
}

function decodeStop(value: unknown, faults: Faults): readonly string[] {
  if (isAbsent(value)) return [];
  if (typeof value === "string") {
    const stop = readString(value, "stop", faults, { minLength: 1 });
    return stop === undefined ? [] : [stop];
  }
  if (!Array.isArray(value)) {
    faults.add("invalid_type", "stop", "must be a string or an array of at most 4 strings");
    return [];
  }
  const entries = readArray(value, "stop", faults, 4) ?? [];
  return entries.flatMap((entry, index) => {
    const stop = readString(entry, `stop[${index}]`, faults, { minLength: 1 });
    return stop === undefined ? [] : [stop];
  });
}
