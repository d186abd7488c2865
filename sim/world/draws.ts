/** Common random numbers: every draw is a hash of what it is for, so all policies meet the same luck. */

/** Hashes whole numbers to 0 (inclusive) to 1 (exclusive); the finalizer is MurmurHash3's (public domain). */
export function drawUnit(seed: number, a: number, b: number, c: number, salt: number): number {
  let hash = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
  hash = mix(hash ^ Math.imul(a + 1, 0xc2b2ae35));
  hash = mix(hash ^ Math.imul(b + 1, 0x27d4eb2f));
  hash = mix(hash ^ Math.imul(c + 1, 0x165667b1));
  hash = mix(hash ^ Math.imul(salt + 1, 0xd3a2646c));
  return (hash >>> 0) / 2 ** 32;
}

/** A seed of its own for the `index`th part of something. */
export function deriveSeed(seed: number, index: number): number {
  return Math.floor(drawUnit(seed, index, 0, 0, 99) * 2 ** 31);
}

/** The normal deviate of two uniforms (Box and Muller). */
export function toNormal(first: number, second: number): number {
  return Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second);
}

/** A factor with median 1 and the given deviation of its logarithm. */
export function toLogNormal(first: number, second: number, sigma: number): number {
  return Math.exp(sigma * toNormal(first, second));
}

function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
