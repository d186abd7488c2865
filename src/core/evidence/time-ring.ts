/** One bucket of time with its counters, as a value. */
export interface TimeBucket {
  /** Time divided by the width of a bucket, rounded down. */
  readonly index: number;
  /** One number per field of the ring, each 0 or more. */
  readonly values: readonly number[];
}

/** Below every index that can occur. */
const NO_INDEX = -(2 ** 52);
/** Times beyond this many buckets from zero are taken for nonsense. */
const MAX_INDEX = 2 ** 50;

/**
 * Counters in buckets of time; a bucket is forgotten when the ring has gone round once,
 * by time and not by traffic. Memory is fixed.
 *
 * Two rings of one writer merge bucket by bucket: the newer bucket wins a slot, equal
 * buckets take the larger of each counter. That is a join-semilattice, so the order,
 * the repetition and the loss of messages do no harm.
 *
 * Time never runs backwards inside: what comes with an older time than the newest
 * bucket's counts as new, and a time that is not a number as the newest one.
 */
export class TimeRing {
  readonly bucketMs: number;
  readonly slotCount: number;
  readonly fieldCount: number;
  readonly #indexes: Float64Array;
  readonly #values: Float64Array;
  #latestIndex = NO_INDEX;
  #voidIndex = NO_INDEX;

  constructor(bucketMs: number, slotCount: number, fieldCount: number) {
    this.bucketMs = bucketMs;
    this.slotCount = slotCount;
    this.fieldCount = fieldCount;
    this.#indexes = new Float64Array(slotCount).fill(NO_INDEX);
    this.#values = new Float64Array(slotCount * fieldCount);
  }

  /** Adds to a counter of the current bucket. Amounts that are not finite are dropped. */
  add(nowMs: number, field: number, amount: number): void {
    if (!Number.isFinite(amount)) return;
    const index = this.#indexAt(nowMs);
    const offset = this.#claim(index) * this.fieldCount + field;
    this.#values[offset] = (this.#values[offset] ?? 0) + amount;
  }

  /** The sum of one counter over the newest `bucketCount` buckets, the current one included. */
  sum(nowMs: number, bucketCount: number, field: number): number {
    const index = this.#indexAt(nowMs);
    const count = Math.min(bucketCount, this.slotCount);
    let slot = this.#slotOf(index);
    let total = 0;
    for (let age = 0; age < count; age++) {
      if (this.#holds(slot, index - age)) total += this.#values[slot * this.fieldCount + field] ?? 0;
      slot = this.#slotBefore(slot);
    }
    return total;
  }

  /** Writes into `sums`, one per field, what `sum` says of each. Nothing is allocated. */
  sumFields(nowMs: number, bucketCount: number, sums: Float64Array): void {
    const index = this.#indexAt(nowMs);
    const count = Math.min(bucketCount, this.slotCount);
    let slot = this.#slotOf(index);
    sums.fill(0);
    for (let age = 0; age < count; age++) {
      if (this.#holds(slot, index - age)) {
        const base = slot * this.fieldCount;
        for (let field = 0; field < this.fieldCount; field++) {
          sums[field] = (sums[field] ?? 0) + (this.#values[base + field] ?? 0);
        }
      }
      slot = this.#slotBefore(slot);
    }
  }

  /**
   * Adds to `sums`, from `offset` on, one weighted sum per window; window `n` is the
   * newest `windows[n]` buckets, ascending. `weights` holds one weight per field. Nothing is allocated.
   */
  addWindowSums(
    nowMs: number,
    windows: readonly number[],
    weights: readonly number[],
    scale: number,
    sums: Float64Array,
    offset: number,
  ): void {
    const index = this.#indexAt(nowMs);
    let slot = this.#slotOf(index);
    let total = 0;
    let age = 0;
    for (let window = 0; window < windows.length; window++) {
      const bucketCount = Math.min(windows[window] ?? 0, this.slotCount);
      for (; age < bucketCount; age++) {
        if (this.#holds(slot, index - age)) {
          const base = slot * this.fieldCount;
          for (let field = 0; field < weights.length; field++) {
            total += (weights[field] ?? 0) * (this.#values[base + field] ?? 0);
          }
        }
        slot = this.#slotBefore(slot);
      }
      sums[offset + window] = (sums[offset + window] ?? 0) + total * scale;
    }
  }

  /**
   * Raises a bucket to what another copy of it says, and adds to `increases`, one per
   * field, by how much it rose. Returns whether anything did.
   */
  merge(bucket: TimeBucket, increases?: Float64Array): boolean {
    if (!(Math.abs(bucket.index) <= MAX_INDEX)) return false;
    const held = this.#indexes[this.#slotOf(bucket.index)] ?? NO_INDEX;
    if (held > bucket.index) return false;
    const base = this.#claim(bucket.index) * this.fieldCount;
    let rose = held < bucket.index;
    for (let field = 0; field < this.fieldCount; field++) {
      const before = this.#values[base + field] ?? 0;
      const value = bucket.values[field] ?? 0;
      if (!(value > before) || value === Number.POSITIVE_INFINITY) continue;
      this.#values[base + field] = value;
      if (increases !== undefined) increases[field] = (increases[field] ?? 0) + value - before;
      rose = true;
    }
    return rose;
  }

  /** From now on sums leave out everything up to and including the bucket of `nowMs`. */
  voidUntil(nowMs: number): void {
    this.#voidIndex = this.#indexAt(nowMs);
  }

  /** As `voidUntil` for a moment of the past: newer buckets stay. */
  voidThrough(pastMs: number): void {
    const index = Math.floor(pastMs / this.bucketMs);
    if (Math.abs(index) <= MAX_INDEX) this.#voidIndex = Math.max(this.#voidIndex, index);
  }

  /** Forgets everything. */
  clear(): void {
    this.#indexes.fill(NO_INDEX);
    this.#values.fill(0);
    this.#latestIndex = NO_INDEX;
    this.#voidIndex = NO_INDEX;
  }

  /** The newest `bucketCount` buckets that exist, oldest first. Voided ones are among them. */
  list(bucketCount: number): readonly TimeBucket[] {
    const buckets: TimeBucket[] = [];
    for (let age = Math.min(bucketCount, this.slotCount) - 1; age >= 0; age--) {
      const index = this.#latestIndex - age;
      const slot = this.#slotOf(index);
      if (index <= NO_INDEX || this.#indexes[slot] !== index) continue;
      buckets.push({ index, values: this.#copyValues(slot) });
    }
    return buckets;
  }

  #copyValues(slot: number): number[] {
    const base = slot * this.fieldCount;
    const values: number[] = [];
    for (let field = 0; field < this.fieldCount; field++) values.push(this.#values[base + field] ?? 0);
    return values;
  }

  #indexAt(nowMs: number): number {
    const index = Math.floor(nowMs / this.bucketMs);
    if (Math.abs(index) <= MAX_INDEX) return Math.max(index, this.#latestIndex);
    return Math.max(this.#latestIndex, 0);
  }

  #slotOf(index: number): number {
    const slot = index % this.slotCount;
    return slot < 0 ? slot + this.slotCount : slot;
  }

  /** The slot of the bucket before that of `slot`: a division less than `#slotOf`. */
  #slotBefore(slot: number): number {
    return slot > 0 ? slot - 1 : this.slotCount - 1;
  }

  #holds(slot: number, index: number): boolean {
    return this.#indexes[slot] === index && index > this.#voidIndex;
  }

  /** The slot of a bucket, emptied first when an older bucket is in it. */
  #claim(index: number): number {
    const slot = this.#slotOf(index);
    if (this.#indexes[slot] !== index) {
      this.#indexes[slot] = index;
      this.#values.fill(0, slot * this.fieldCount, (slot + 1) * this.fieldCount);
      if (index > this.#latestIndex) this.#latestIndex = index;
    }
    return slot;
  }
}
