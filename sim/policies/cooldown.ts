import type { CallReport } from "./policy.ts";

/** How LiteLLM's cooldown is set. */
export interface CooldownOptions {
  readonly cooldownMs: number;
  /** More than this share of failures in the minute is too much. */
  readonly failureRatio: number;
}

/** What LiteLLM publishes. */
export const LITELLM: CooldownOptions = { cooldownMs: 5_000, failureRatio: 0.5 };
const MIN_CALL_COUNT = 5;
const MINUTE_MS = 60_000;

/**
 * LiteLLM's cooldown, by default: more than half of at least five calls failed in the current minute,
 * or a refusal that no retry mends: out for 5 s, or for as long as Retry-After says.
 */
export class Cooldown {
  readonly #nowMs: () => number;
  readonly #options: CooldownOptions;
  readonly #untilMs: Map<number, number>;
  readonly #counts = new Map<number, { minute: number; callCount: number; failureCount: number }>();

  /** `untilMs`: who is out until when; replicas with a shared Redis have one together. */
  constructor(nowMs: () => number, options: CooldownOptions, untilMs = new Map<number, number>()) {
    this.#nowMs = nowMs;
    this.#untilMs = untilMs;
    this.#options = options;
  }

  /** Those that are not out; everybody when all are. */
  admit(from: readonly number[]): readonly number[] {
    const nowMs = this.#nowMs();
    const admitted = from.filter((endpoint) => nowMs >= (this.#untilMs.get(endpoint) ?? 0));
    return admitted.length > 0 ? admitted : from;
  }

  note({ endpoint, outcome, retryAfterMs }: CallReport): void {
    const minute = Math.floor(this.#nowMs() / MINUTE_MS);
    let counts = this.#counts.get(endpoint);
    if (counts?.minute !== minute) counts = { minute, callCount: 0, failureCount: 0 };
    this.#counts.set(endpoint, counts);
    counts.callCount += 1;
    if (outcome === "ok") return;
    counts.failureCount += 1;
    const mostFail =
      counts.callCount >= MIN_CALL_COUNT &&
      counts.failureCount / counts.callCount > this.#options.failureRatio;
    // LiteLLM sends 429 and refused credentials into cooldown at once.
    if (mostFail || outcome === "limited" || outcome === "unpaid") {
      this.#untilMs.set(endpoint, this.#nowMs() + (retryAfterMs ?? this.#options.cooldownMs));
    }
  }
}
