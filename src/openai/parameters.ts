/**
 * What becomes of each parameter of OpenAI's chat completions. docs/openai-door.md
 * says the same (a test compares the names).
 */

import { isRecord } from "../lib/is-record.ts";
import { type Faults, showName } from "./fault.ts";
import { isAbsent, type JsonObject } from "./read-value.ts";

/**
 * - `honoured`: read elsewhere;
 * - `hint`: does not change what the answer means, so it is taken and let fall;
 * - `neutral`: Sluice cannot do it, so only values that ask for nothing are taken.
 */
export type ParameterRule =
  | { readonly kind: "honoured" | "hint" }
  | { readonly kind: "neutral"; isNeutral(value: unknown): boolean; readonly neutral: string };

const HONOURED: ParameterRule = { kind: "honoured" };
const HINT: ParameterRule = { kind: "hint" };

function only(...words: readonly (string | number | boolean)[]): ParameterRule {
  const neutral = words.map((word) => JSON.stringify(word)).join(" or ");
  return { kind: "neutral", neutral, isNeutral: (value) => words.some((word) => word === value) };
}

/** For parameters of which every value would change the answer. */
const NEVER: ParameterRule = { kind: "neutral", neutral: "null", isNeutral: () => false };

/** Every parameter the door knows, by name. */
export const PARAMETERS: ReadonlyMap<string, ParameterRule> = new Map([
  ["messages", HONOURED],
  ["model", HONOURED],
  ["temperature", HONOURED],
  ["top_p", HONOURED],
  ["max_tokens", HONOURED],
  ["max_completion_tokens", HONOURED],
  ["stop", HONOURED],
  ["tools", HONOURED],
  ["tool_choice", HONOURED],
  ["parallel_tool_calls", HONOURED],
  ["functions", HONOURED],
  ["function_call", HONOURED],
  ["response_format", HONOURED],
  ["stream", HONOURED],
  ["stream_options", HONOURED],
  ["sluice", HONOURED],

  ["user", HINT],
  ["metadata", HINT],
  ["safety_identifier", HINT],
  ["prompt_cache_key", HINT],
  ["prompt_cache_options", HINT],
  ["prompt_cache_retention", HINT],

  ["n", only(1)],
  ["store", only(false)],
  ["service_tier", only("auto", "default")],
  ["presence_penalty", only(0)],
  ["frequency_penalty", only(0)],
  ["logprobs", only(false)],
  ["top_logprobs", only(0)],
  ["verbosity", only("medium")],
  [
    "logit_bias",
    {
      kind: "neutral",
      neutral: "{}",
      isNeutral: (value) => isRecord(value) && Object.keys(value).length === 0,
    },
  ],
  [
    "modalities",
    {
      kind: "neutral",
      neutral: '["text"]',
      isNeutral: (value) => Array.isArray(value) && value.length === 1 && value[0] === "text",
    },
  ],
  ["seed", NEVER],
  ["reasoning_effort", NEVER],
  ["audio", NEVER],
  ["prediction", NEVER],
  ["web_search_options", NEVER],
  ["moderation", NEVER],
]);

/** Takes down every parameter that is unknown, or that asks for what Sluice cannot do. */
export function checkParameters(body: JsonObject, faults: Faults): void {
  for (const key of Object.keys(body)) {
    if (faults.isFull) return;
    const value = body[key];
    if (isAbsent(value)) continue;
    const rule = PARAMETERS.get(key);
    if (rule === undefined) {
      faults.add("unknown_parameter", showName(key), "is not a parameter of chat completions; leave it out");
    } else if (rule.kind === "neutral" && !rule.isNeutral(value)) {
      const text = `is not supported, and Sluice ignores nothing in silence: leave it out or send ${rule.neutral}`;
      faults.add("unsupported_parameter", key, text);
    }
  }
}
