import { MAX_RETRY_AFTER_MS } from "../../src/core/evidence/cooldown.ts";
import type { BreakerState } from "../../src/domain/metrics.ts";
import { InvariantViolation } from "../check/invariant-violation.ts";

/** A half-open breaker that lets nobody in for so long, no Retry-After asking for it, is lost: longer than any pause of its own. */
const MAX_UNPROBED_MS = 660_000;

/** Tells that a call is over. */
export type EndCall = (retryAfterMs: number | undefined, succeeded: boolean) => void;

/**
 * The rules of one replica's calls to one endpoint. I7: none while the breaker is open;
 * one at a time while it is half-open, and as many good ones as the rule says before it closes;
 * a half-open one is probed sooner or later; none before a Retry-After is over.
 * It opens from closed only on evidence of its own: a call that failed, was given up or is still silent. I2: every call is settled once.
 */
export class CallRules {
  readonly #nowMs: () => number;
  readonly #name: string;
  readonly #leastGoodProbeCount: number;
  #state: BreakerState = "closed";
  #epoch = 0;
  #probeCount = 0;
  #goodProbeCount = 0;
  #probedMs = 0;
  #notBeforeMs = 0;
  #unsettledCount = 0;
  /** Since the breaker last closed. */
  #badCallCount = 0;
  #runningCount = 0;

  /** `leastGoodProbeCount`: how many good probes close the breaker at the least. */
  constructor(name: string, nowMs: () => number, leastGoodProbeCount: number) {
    this.#name = name;
    this.#nowMs = nowMs;
    this.#leastGoodProbeCount = leastGoodProbeCount;
  }

  /** The breaker has changed its state. Throws `InvariantViolation`. */
  enter(state: BreakerState): void {
    if (state === "closed" && this.#goodProbeCount < this.#leastGoodProbeCount) {
      throw new InvariantViolation("I7", `${this.#name} closes after ${this.#goodProbeCount} good probes`);
    }
    if (state === "open" && this.#state === "closed") this.#checkEvidence();
    if (state === "closed") this.#badCallCount = 0;
    this.#state = state;
    this.#epoch += 1;
    this.#probeCount = 0;
    this.#goodProbeCount = 0;
    this.#probedMs = this.#nowMs();
  }

  /** A call begins; answers what to call when it is over. Throws `InvariantViolation`. */
  begin(): EndCall {
    if (this.#state === "open")
      throw new InvariantViolation("I7", `${this.#name} is called with its breaker open`);
    if (this.#nowMs() < this.#notBeforeMs) {
      throw new InvariantViolation("I7", `${this.#name} is called before its Retry-After is over`);
    }
    this.#unsettledCount += 1;
    this.#runningCount += 1;
    const epoch = this.#epoch;
    if (this.#state === "half_open") {
      this.#probeCount += 1;
      this.#probedMs = this.#nowMs();
      if (this.#probeCount > 1) throw new InvariantViolation("I7", `${this.#name} is probed twice at a time`);
    }
    return (retryAfterMs, succeeded) => {
      this.#runningCount -= 1;
      if (!succeeded) this.#badCallCount += 1;
      if (epoch === this.#epoch && this.#state === "half_open") {
        this.#probeCount -= 1;
        if (succeeded) this.#goodProbeCount += 1;
      }
      if (retryAfterMs === undefined) return;
      const waitMs = Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
      this.#notBeforeMs = Math.max(this.#notBeforeMs, this.#nowMs() + waitMs);
    };
  }

  /** The router has settled a call. Throws `InvariantViolation`. */
  settle(): void {
    this.#unsettledCount -= 1;
    if (this.#unsettledCount < 0)
      throw new InvariantViolation("I2", `${this.#name}: a call is settled twice`);
  }

  /** To be called when all is over. Throws `InvariantViolation`. */
  checkSettled(): void {
    if (this.#unsettledCount > 0)
      throw new InvariantViolation("I2", `${this.#name}: ${this.#unsettledCount} calls are never settled`);
  }

  #checkEvidence(): void {
    if (this.#badCallCount + this.#runningCount === 0)
      throw new InvariantViolation("I7", `${this.#name} opens without a bad call of its own`);
  }

  /** To be called at the end of the traffic. Throws `InvariantViolation`. */
  checkAlive(): void {
    const unprobedMs = this.#nowMs() - Math.max(this.#probedMs, this.#notBeforeMs);
    if (this.#state === "half_open" && unprobedMs > MAX_UNPROBED_MS) {
      throw new InvariantViolation("I7", `${this.#name} is half-open and not probed for ${unprobedMs} ms`);
    }
  }
}
