import { TokenBucket } from "../../lib/token-bucket.ts";

/** Lines of one kind that are written at once before the brake takes hold. */
const BURST_COUNT = 50;
/** And this many per second after that. */
const LINES_PER_SECOND = 1;

/** Keeps a stranger's requests from filling the log: after a burst few lines are written, with the number of those left out. */
export class LogBrake {
  readonly #bucket: TokenBucket;
  #skippedCount = 0;

  constructor(nowMs: number) {
    this.#bucket = new TokenBucket(BURST_COUNT, LINES_PER_SECOND, nowMs);
  }

  /** Whether to write a line now: how many were left out before it, or undefined when this one is left out too. */
  take(nowMs: number): number | undefined {
    if (!this.#bucket.take(nowMs)) {
      this.#skippedCount++;
      return undefined;
    }
    const count = this.#skippedCount;
    this.#skippedCount = 0;
    return count;
  }
}
