/** Opening again this soon after closing is flapping. */
const FLAP_MS = 30_000;
const FLAP_COUNT = 3;
/** Flaps longer ago than this are forgotten. */
const FLAP_MEMORY_MS = 300_000;
const PENALTY_MS = 120_000;
const REQUIRED_SUCCESS_COUNT = 5;
const MAX_SHARE_RATIO = 0.25;

/**
 * What a deployment pays that recovers and fails over and over: after three such
 * turns it needs five good probes and gets at most a quarter of its share, for two
 * minutes. It never adds up to more.
 */
export class FlappingPenalty {
  #flapsMs: number[] = [];
  #untilMs: number | undefined;

  /** Notes that the breaker opened, having last closed at `closedMs`. */
  noteTrip(closedMs: number, nowMs: number): void {
    if (nowMs - closedMs >= FLAP_MS) return;
    this.#flapsMs = this.#flapsMs.filter((flapMs) => nowMs - flapMs < FLAP_MEMORY_MS);
    this.#flapsMs.push(nowMs);
    if (this.#flapsMs.length < FLAP_COUNT) return;
    this.#flapsMs = [];
    this.#untilMs = nowMs + PENALTY_MS;
  }

  /** Good probes that close the breaker while the penalty lasts; undefined when there is none. */
  requiredSuccessCount(nowMs: number): number | undefined {
    return this.#isInForce(nowMs) ? REQUIRED_SUCCESS_COUNT : undefined;
  }

  /** The most of its share that the deployment may get: 0.25 or 1. */
  maxShareRatio(nowMs: number): number {
    return this.#isInForce(nowMs) ? MAX_SHARE_RATIO : 1;
  }

  /** Forgets everything. */
  reset(): void {
    this.#flapsMs = [];
    this.#untilMs = undefined;
  }

  #isInForce(nowMs: number): boolean {
    return this.#untilMs !== undefined && nowMs < this.#untilMs;
  }
}
