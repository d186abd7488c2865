import { durationMs } from "@bufbuild/protobuf/wkt";
import type { Requirements as RequirementsMessage } from "../../gen/sluice/v1/generation_pb.ts";
import type { Requirements } from "../domain/request.ts";
import type { Violations } from "./violations.ts";

/** Checks and translates requirements; `path` names them in violations. */
export function decodeRequirements(
  requirements: RequirementsMessage | undefined,
  path: string,
  violations: Violations,
): Requirements {
  const contextTokens = requirements?.contextTokenCount;
  if (contextTokens !== undefined && contextTokens < 1) {
    violations.add(`${path}.context_token_count`, `is ${contextTokens}; must be 1 or more`);
  }
  const latency = requirements?.maxLatencyDuration;
  const maxLatencyMs = latency === undefined ? undefined : durationMs(latency);
  if (maxLatencyMs !== undefined && !(maxLatencyMs > 0)) {
    violations.add(`${path}.max_latency_duration`, `is ${maxLatencyMs} ms; must be above 0`);
  }
  const minSuccessRatio = requirements?.minSuccessRatio;
  if (minSuccessRatio !== undefined && !(minSuccessRatio >= 0 && minSuccessRatio <= 1)) {
    violations.add(`${path}.min_success_ratio`, `is ${minSuccessRatio}; must be 0.0 to 1.0 inclusive`);
  }
  const maxCost = requirements?.maxCostNanoUsd;
  if (maxCost !== undefined && maxCost < 0n) {
    violations.add(`${path}.max_cost_nano_usd`, `is ${maxCost}; must be 0 or more`);
  }
  return {
    vision: requirements?.vision ?? false,
    tools: requirements?.tools ?? false,
    jsonOutput: requirements?.jsonOutput ?? false,
    longContext: requirements?.longContext ?? false,
    ...(contextTokens === undefined ? {} : { contextTokens }),
    ...(maxLatencyMs === undefined ? {} : { maxLatencyMs }),
    ...(minSuccessRatio === undefined ? {} : { minSuccessRatio }),
    ...(maxCost === undefined ? {} : { maxCostNanoUsd: Number(maxCost) }),
  };
}
