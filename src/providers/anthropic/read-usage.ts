import type { Usage } from "../../domain/usage.ts";
import { isRecord } from "../../lib/is-record.ts";
import { notAbove, readCount } from "../http/usage-figures.ts";

/** The counts of Anthropic's `usage` as they were last told; each event may tell only some. */
export interface AnthropicCounts {
  readonly input: number | undefined;
  readonly cacheRead: number | undefined;
  readonly cacheWrite: number | undefined;
  readonly output: number | undefined;
}

/** Before anything was told. */
export const NO_COUNTS: AnthropicCounts = {
  input: undefined,
  cacheRead: undefined,
  cacheWrite: undefined,
  output: undefined,
};

/** Adds what a `usage` object tells to what was known: its figures are cumulative. */
export function updateCounts(known: AnthropicCounts, value: unknown): AnthropicCounts {
  if (!isRecord(value)) return known;
  return {
    input: readCount(value.input_tokens) ?? known.input,
    cacheRead: readCount(value.cache_read_input_tokens) ?? known.cacheRead,
    cacheWrite: readCount(value.cache_creation_input_tokens) ?? known.cacheWrite,
    output: readCount(value.output_tokens) ?? known.output,
  };
}

/** The counts in our words: Anthropic's three input counts are disjoint, our cached tokens are a part of the input. */
export function toUsage({ input, cacheRead, cacheWrite, output }: AnthropicCounts): Usage | undefined {
  const inputTokens = input === undefined ? undefined : input + (cacheRead ?? 0) + (cacheWrite ?? 0);
  if (!inputTokens && !output) return undefined;
  const cachedInputTokens = notAbove(cacheRead, inputTokens);
  return {
    ...(inputTokens !== undefined && { inputTokens }),
    ...(output !== undefined && { outputTokens: output }),
    ...(cachedInputTokens !== undefined && { cachedInputTokens }),
  };
}
