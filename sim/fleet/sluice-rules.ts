import type { BreakerState } from "../../src/domain/metrics.ts";
import { InvariantViolation } from "../check/invariant-violation.ts";

/** Longer Retry-Afters are not believed by anybody. */
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * The rules of one replica's calls to one endpoint: I7 none while the breaker is open, one
 * at a time while it is half-open; and none before a Retry-After is over.
 */
export class CallRules {
  readonly #nowMs: () => number;
  readonly #name: string;
  #state: BreakerState = "closed";
  #epoch = 0;
  #probeCount = 0;
  #notBeforeMs = 0;

  constructor(name: string, nowMs: () => number) {
    this.#name = name;
    this.#nowMs = nowMs;
  }

  /** The breaker has changed its state. */
  enter(state: BreakerState): void {
    this.#state = state;
    this.#epoch += 1;
    this.#probeCount = 0;
  }

  /** A call begins; answers what to call when it is over. Throws `InvariantViolation`. */
  begin(): (retryAfterMs: number | undefined) => void {
    if (this.#state === "open")
      throw new InvariantViolation("I7", `${this.#name} is called with its breaker open`);
    if (this.#nowMs() < this.#notBeforeMs) {
      throw new InvariantViolation("I7", `${this.#name} is called before its Retry-After is over`);
    }
    const epoch = this.#epoch;
    if (this.#state === "half_open") {
      this.#probeCount += 1;
      if (this.#probeCount > 1) throw new InvariantViolation("I7", `${this.#name} is probed twice at a time`);
    }
    return (retryAfterMs) => {
      if (epoch === this.#epoch && this.#state === "half_open") this.#probeCount -= 1;
      if (retryAfterMs !== undefined && retryAfterMs <= MAX_RETRY_AFTER_MS) {
        this.#notBeforeMs = Math.max(this.#notBeforeMs, this.#nowMs() + retryAfterMs);
      }
    };
  }
}
