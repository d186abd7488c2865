/** Messages may come this much out of order. */
const WINDOW_SIZE = 64;

/**
 * Takes each sequence number once: repeated ones and those far behind are refused, as
 * in IPsec's anti-replay window (RFC 4303, 3.4.3).
 */
export class SequenceWindow {
  readonly #seen = new Float64Array(WINDOW_SIZE).fill(-1);
  #first = -1;
  #highest = -1;
  #acceptedCount = 0;

  /** Whether the number is new. */
  accept(sequence: number): boolean {
    const slot = sequence % WINDOW_SIZE;
    if (sequence <= this.#highest - WINDOW_SIZE || this.#seen[slot] === sequence) return false;
    this.#seen[slot] = sequence;
    if (this.#first < 0) this.#first = sequence;
    this.#highest = Math.max(this.#highest, sequence);
    this.#acceptedCount += 1;
    return true;
  }

  /** Numbers after the first accepted one that never came. */
  get lostCount(): number {
    if (this.#first < 0) return 0;
    return Math.max(this.#highest - this.#first + 1 - this.#acceptedCount, 0);
  }
}
