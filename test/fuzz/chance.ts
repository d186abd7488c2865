import type { Random } from "../../src/domain/ports.ts";
import { seededRandom } from "../../src/lib/random.ts";

/** Draws from one seed; the same seed draws the same. */
export class Chance {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    // The first numbers of near seeds are near.
    for (let round = 0; round < 4; round++) this.#random.next();
  }

  /** Whether something of this probability happens. */
  happens(ratio: number): boolean {
    return this.#random.next() < ratio;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.#random.next() * end);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  /** Bytes without any order; short ones more often. */
  bytes(maxCount: number): Buffer {
    const count = this.below(this.happens(0.8) ? Math.min(16, maxCount) : maxCount);
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }

  /** Changes some bytes, cuts or repeats a part. */
  mutate(bytes: Buffer): Buffer {
    const changed = Buffer.from(bytes);
    for (let left = 1 + this.below(8); left > 0 && changed.length > 0; left--) {
      changed[this.below(changed.length)] = this.below(256);
    }
    if (this.happens(0.3)) return changed.subarray(0, this.below(changed.length + 1));
    if (this.happens(0.2)) return Buffer.concat([changed, changed.subarray(this.below(changed.length + 1))]);
    return changed;
  }
}
