import type { Usage } from "../../domain/usage.ts";

/** Whether two usages say the same. */
export function isSameUsage(one: Usage | undefined, other: Usage | undefined): boolean {
  return (
    one?.inputTokens === other?.inputTokens &&
    one?.outputTokens === other?.outputTokens &&
    one?.cachedInputTokens === other?.cachedInputTokens &&
    one?.reasoningTokens === other?.reasoningTokens &&
    one?.costNanoUsd === other?.costNanoUsd
  );
}

/** A count of tokens: a whole number from 0; anything else is unknown. */
export function readCount(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A part, unless it is more than the whole it is a part of: then it is unknown. */
export function notAbove(part: number | undefined, whole: number | undefined): number | undefined {
  return part !== undefined && whole !== undefined && part > whole ? undefined : part;
}
