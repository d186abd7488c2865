/** The options that say what a candidate must be able to do, and the Requirements they mean. */

import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { type Requirements, RequirementsSchema } from "../../gen/sluice/v1/generation_pb.ts";
import type { OptionSpecs } from "./option-spec.ts";
import { parseCountOption, parseDurationOption, parseRatioOption, parseUsdOption } from "./option-value.ts";
import type { Arguments } from "./parse-arguments.ts";

/** What is expected of a candidate. */
export const LIMIT_OPTIONS: OptionSpecs = {
  "max-latency": {
    type: "string",
    placeholder: "TIME",
    description: "only who is expected to answer whole within this time, for example 5s",
  },
  "min-success": {
    type: "string",
    placeholder: "RATIO",
    description: "only who is expected to succeed this often, for example 0.95 or 95%",
  },
  "max-cost": {
    type: "string",
    placeholder: "USD",
    description: "only who is expected to cost at most this, for example 0.002",
  },
};

/** What the catalog must say of a candidate. */
export const ABILITY_OPTIONS: OptionSpecs = {
  vision: { type: "boolean", description: "only models that accept images" },
  tools: { type: "boolean", description: "only models that accept tools" },
  "json-output": { type: "boolean", description: "only models that can answer in JSON" },
  "long-context": { type: "boolean", description: "only models for very long input" },
  "min-context": {
    type: "string",
    placeholder: "COUNT",
    description: "only models with a context window of this many tokens",
  },
};

/** Reads `LIMIT_OPTIONS`; undefined when none was given. Throws UsageError. */
export function readLimits(args: Arguments): Requirements | undefined {
  const latency = args.text("max-latency");
  const success = args.text("min-success");
  const cost = args.text("max-cost");
  if (latency === undefined && success === undefined && cost === undefined) return undefined;
  return create(RequirementsSchema, {
    ...(latency === undefined
      ? {}
      : { maxLatencyDuration: durationFromMs(parseDurationOption("max-latency", latency)) }),
    ...(success === undefined ? {} : { minSuccessRatio: parseRatioOption("min-success", success) }),
    ...(cost === undefined ? {} : { maxCostNanoUsd: parseUsdOption("max-cost", cost) }),
  });
}

/** Reads `LIMIT_OPTIONS` and `ABILITY_OPTIONS`. Throws UsageError. */
export function readRequirements(args: Arguments): Requirements {
  const contextTokens = args.text("min-context");
  return create(RequirementsSchema, {
    ...readLimits(args),
    vision: args.has("vision"),
    tools: args.has("tools"),
    jsonOutput: args.has("json-output"),
    longContext: args.has("long-context"),
    ...(contextTokens === undefined
      ? {}
      : { contextTokenCount: parseCountOption("min-context", contextTokens) }),
  });
}
