/** How far a model's own count of tokens is from the estimate. Pure. */

/** What was learnt of one upstream model; all deployments of it share its tokenizer. */
export interface TokenCorrection {
  /** Counted tokens for each estimated one. */
  readonly ratio: number;
  /** How many answers it stands on. */
  readonly sampleCount: number;
}

export const NO_CORRECTION: TokenCorrection = { ratio: 1, sampleCount: 0 };

/** The weight of a new sample once there are enough: it forgets half in about seven answers. */
const STEADY_WEIGHT = 0.1;
/**
 * Shorter prompts are mostly the fixed costs of the format, above all of tools, where the estimate can be three
 * times the count. They say little about text, and only prompts near the window are judged by the ratio.
 */
const MIN_LEARNT_TOKENS = 1_000;
/** An overflow says something of shorter ones too, as small windows have. */
const MIN_OVERFLOWN_TOKENS = 50;
/** No tokenizer is further from the estimate; what is further was counted wrong. */
const MIN_RATIO = 0.25;
const MAX_RATIO = 4;

/**
 * Learns from a prompt that was counted: an average of actual/estimated, weighted
 * exponentially; the first samples weigh 1/n, so that it is their plain mean.
 */
export function learnRatio(
  known: TokenCorrection,
  estimatedTokens: number,
  countedTokens: number,
): TokenCorrection {
  const told = countedTokens / estimatedTokens;
  // What is no number says nothing.
  if (!(estimatedTokens >= MIN_LEARNT_TOKENS) || !(told > 0)) return known;
  const sample = clampRatio(told);
  const weight = Math.max(STEADY_WEIGHT, 1 / (known.sampleCount + 1));
  return {
    ratio: known.ratio + weight * (sample - known.ratio),
    sampleCount: known.sampleCount + 1,
  };
}

/** Learns from a prompt that the provider found too long for the window: it has at least that many tokens. */
export function learnOverflow(
  known: TokenCorrection,
  estimatedTokens: number,
  windowTokens: number,
): TokenCorrection {
  if (!(estimatedTokens >= MIN_OVERFLOWN_TOKENS)) return known;
  const least = clampRatio(windowTokens / estimatedTokens);
  return least > known.ratio ? { ratio: least, sampleCount: known.sampleCount + 1 } : known;
}

function clampRatio(ratio: number): number {
  return Math.min(Math.max(ratio, MIN_RATIO), MAX_RATIO);
}
