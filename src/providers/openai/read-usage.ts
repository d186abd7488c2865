import type { Usage } from "../../domain/usage.ts";
import { isRecord } from "../../lib/is-record.ts";
import { notAbove, readCount } from "../http/usage-figures.ts";

const NANO_USD_PER_USD = 1e9;

/**
 * Reads a `usage` object. A count that is not a whole number from 0, or is more than
 * the count it is a part of, is unknown. A usage of all zeros is what some servers
 * send before they know, so it is unknown too. OpenRouter's `cost` is in US dollars; with
 * a key of one's own at the host (`is_byok`) it is OpenRouter's fee alone, and what the host takes comes on top.
 * Gemini's and xAI's thoughts are billed as output and are a part of the total, but not of `completion_tokens`.
 */
export function readUsage(value: unknown): Usage | undefined {
  if (!isRecord(value)) return undefined;
  const inputTokens = readCount(value.prompt_tokens);
  const spokenTokens = readCount(value.completion_tokens);
  if (!inputTokens && !spokenTokens) return undefined;
  const toldReasoningTokens = readCount(member(value.completion_tokens_details, "reasoning_tokens"));
  const apartTokens = countApart(readCount(value.total_tokens), inputTokens, spokenTokens);
  // Where the two figures differ it is something else that is left out.
  const areThoughtsApart = apartTokens > 0 && apartTokens === (toldReasoningTokens ?? apartTokens);
  const outputTokens = areThoughtsApart ? (spokenTokens ?? 0) + apartTokens : spokenTokens;
  const cachedInputTokens = notAbove(
    // DeepSeek has the second name.
    readCount(member(value.prompt_tokens_details, "cached_tokens")) ??
      readCount(value.prompt_cache_hit_tokens),
    inputTokens,
  );
  const reasoningTokens = areThoughtsApart ? apartTokens : notAbove(toldReasoningTokens, outputTokens);
  const costNanoUsd = readCost(value);
  return {
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens }),
    ...(cachedInputTokens !== undefined && { cachedInputTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
    ...(costNanoUsd !== undefined && { costNanoUsd }),
  };
}

/** The tokens of the total that are neither of the prompt nor of what was said. */
function countApart(
  total: number | undefined,
  input: number | undefined,
  spoken: number | undefined,
): number {
  return total === undefined || input === undefined || spoken === undefined ? 0 : total - input - spoken;
}

function member(value: unknown, key: string): unknown {
  return isRecord(value) ? value[key] : undefined;
}

function readCost({ cost, is_byok, cost_details }: Readonly<Record<string, unknown>>): number | undefined {
  if (typeof cost !== "number") return undefined;
  // Told for other requests too, where it is a part of the cost.
  const hostCost = is_byok === true ? member(cost_details, "upstream_inference_cost") : 0;
  // Half a cost is none.
  return typeof hostCost === "number"
    ? readCount(Math.round((cost + hostCost) * NANO_USD_PER_USD))
    : undefined;
}
