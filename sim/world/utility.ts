/** The frozen utility that everybody is measured by (routing.md 3.1). Its version is printed in every report. */

import type { Priority } from "../../src/domain/request.ts";

/** Changes whenever a figure below does. */
export const UTILITY_VERSION = "u1";

const WEIGHTS: Readonly<
  Record<Priority, { readonly quality: number; readonly speed: number; readonly cost: number }>
> = {
  speed: { quality: 0.2, speed: 0.7, cost: 0.1 },
  quality: { quality: 0.75, speed: 0.15, cost: 0.1 },
  cost: { quality: 0.2, speed: 0.1, cost: 0.7 },
  balanced: { quality: 0.4, speed: 0.3, cost: 0.3 },
};

/** The time that an answer of a length may take: 1 s and 15 ms per token. */
export function referenceMs(outputTokens: number): number {
  return 1_000 + 15 * outputTokens;
}

/** The cost of the lengths at 1 and 4 dollars per million tokens. */
export function referenceUsd(promptTokens: number, outputTokens: number): number {
  return (promptTokens + 4 * outputTokens) / 1e6;
}

/** The lengths and the wish of a request. */
export interface Wanted {
  readonly priority: Priority;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** 0 to 1 for a whole answer: quality, e^(−T/2Tref), e^(−cost/cref), weighted. A failure is worth 0. */
export function computeUtility(wanted: Wanted, quality: number, totalMs: number, costUsd: number): number {
  const weights = WEIGHTS[wanted.priority];
  const speed = Math.exp(-totalMs / (2 * referenceMs(wanted.outputTokens)));
  const cheapness = Math.exp(-costUsd / referenceUsd(wanted.promptTokens, wanted.outputTokens));
  return weights.quality * quality + weights.speed * speed + weights.cost * cheapness;
}
