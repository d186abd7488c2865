import type { Random } from "../domain/ports.ts";

/** The machine's chance. Not for secrets. */
export const systemRandom: Random = { next: () => Math.random() };

/**
 * A repeatable sequence for a seed (mulberry32, a public-domain 32-bit generator).
 * Not for secrets.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}
