import type { Clock } from "../../domain/ports.ts";
import type { QuotaLimits } from "../../domain/simulation.ts";
import { QuotaBucket, type QuotaState } from "./quota-bucket.ts";

/** What is left for a model; undefined where there is no limit. */
export interface ModelQuotaState {
  readonly requests: QuotaState | undefined;
  readonly tokens: QuotaState | undefined;
}

interface ModelBuckets {
  readonly requests: QuotaBucket | undefined;
  readonly tokens: QuotaBucket | undefined;
}

/** Names come from callers: beyond this many, further ones share one pair of buckets. */
const MAX_MODEL_COUNT = 1_000;
const SHARED = "";

/** Holds requests to limits per model and minute. */
export class ModelQuotas {
  readonly #limits: QuotaLimits;
  readonly #clock: Clock;
  readonly #models = new Map<string, ModelBuckets>();

  constructor(limits: QuotaLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Takes one request of `tokenCount` tokens: 0, or how long to wait, and then nothing was taken. */
  admit(model: string, tokenCount: number): number {
    const { requests, tokens } = this.#bucketsOf(model);
    const waitMs = Math.max(requests?.waitMs(1) ?? 0, tokens?.waitMs(tokenCount) ?? 0);
    if (waitMs > 0) return waitMs;
    requests?.take(1);
    tokens?.take(tokenCount);
    return 0;
  }

  /** What is left for a model now. */
  stateOf(model: string): ModelQuotaState {
    const { requests, tokens } = this.#bucketsOf(model);
    return { requests: requests?.state, tokens: tokens?.state };
  }

  #bucketsOf(model: string): ModelBuckets {
    const name = this.#models.has(model) || this.#models.size < MAX_MODEL_COUNT ? model : SHARED;
    const known = this.#models.get(name);
    if (known !== undefined) return known;
    const { requestsPerMinute, tokensPerMinute } = this.#limits;
    const made = {
      requests: requestsPerMinute === undefined ? undefined : new QuotaBucket(requestsPerMinute, this.#clock),
      tokens: tokensPerMinute === undefined ? undefined : new QuotaBucket(tokensPerMinute, this.#clock),
    };
    this.#models.set(name, made);
    return made;
  }
}
