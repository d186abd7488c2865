import type { Usage } from "../../domain/usage.ts";
import { isRecord } from "../../lib/is-record.ts";
import { notAbove, readCount } from "../http/usage-figures.ts";

const NANO_USD_PER_USD = 1e9;

/**
 * Reads a `usage` object. A count that is not a whole number from 0, or is more than
 * the count it is a part of, is unknown. A usage of all zeros is what some servers
 * send before they know, so it is unknown too. OpenRouter's `cost` is in US dollars.
 */
export function readUsage(value: unknown): Usage | undefined {
  if (!isRecord(value)) return undefined;
  const inputTokens = readCount(value.prompt_tokens);
  const outputTokens = readCount(value.completion_tokens);
  if (!inputTokens && !outputTokens) return undefined;
  const cachedInputTokens = notAbove(
    // DeepSeek has the second name.
    readCount(member(value.prompt_tokens_details, "cached_tokens")) ??
      readCount(value.prompt_cache_hit_tokens),
    inputTokens,
  );
  const reasoningTokens = notAbove(
    readCount(member(value.completion_tokens_details, "reasoning_tokens")),
    outputTokens,
  );
  const costNanoUsd = readCost(value.cost);
  return {
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens }),
    ...(cachedInputTokens !== undefined && { cachedInputTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
    ...(costNanoUsd !== undefined && { costNanoUsd }),
  };
}

function member(value: unknown, key: string): unknown {
  return isRecord(value) ? value[key] : undefined;
}

function readCost(value: unknown): number | undefined {
  return typeof value === "number" ? readCount(Math.round(value * NANO_USD_PER_USD)) : undefined;
}
