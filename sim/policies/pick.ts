/** Picks out of lists of endpoints. */

import type { Random } from "../../src/domain/ports.ts";

/** One at random; undefined of none. */
export function pickOne(from: readonly number[], random: Random): number | undefined {
  return from[Math.floor(random.next() * from.length)];
}

/** One at random in proportion to its weight; at random when all weigh nothing. */
export function pickWeighted(
  from: readonly number[],
  weightOf: (endpoint: number) => number,
  random: Random,
): number | undefined {
  const sum = from.reduce((total, endpoint) => total + weightOf(endpoint), 0);
  if (!(sum > 0)) return pickOne(from, random);
  let left = random.next() * sum;
  for (const endpoint of from) {
    left -= weightOf(endpoint);
    if (left < 0) return endpoint;
  }
  return from.at(-1);
}

/** The one with the least figure; the first of equal ones. */
export function pickLeast(
  from: readonly number[],
  figureOf: (endpoint: number) => number,
): number | undefined {
  let best: number | undefined;
  let bestFigure = Number.POSITIVE_INFINITY;
  for (const endpoint of from) {
    const figure = figureOf(endpoint);
    if (best !== undefined && !(figure < bestFigure)) continue;
    best = endpoint;
    bestFigure = figure;
  }
  return best;
}

/** The one with the least figure; at random of equal ones. */
export function pickLeastAtRandom(
  from: readonly number[],
  figureOf: (endpoint: number) => number,
  random: Random,
): number | undefined {
  const best = pickLeast(from, figureOf);
  if (best === undefined) return undefined;
  const least = figureOf(best);
  return pickOne(
    from.filter((endpoint) => figureOf(endpoint) === least),
    random,
  );
}

/** Two different ones at random, of them the one with the lesser figure. */
export function pickOfTwo(
  from: readonly number[],
  figureOf: (endpoint: number) => number,
  random: Random,
): number | undefined {
  if (from.length < 2) return from[0];
  const first = Math.floor(random.next() * from.length);
  const other = Math.floor(random.next() * (from.length - 1));
  const pair = [from[first], from[other >= first ? other + 1 : other]].filter((each) => each !== undefined);
  return pickLeast(pair, figureOf);
}
