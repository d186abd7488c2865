/** One circuit breaker per deployment. The only file that imports opossum. */

import { EventEmitter } from "node:events";
import CircuitBreaker from "opossum";
import type { HealthVerdict } from "../core/failure-policy.ts";
import type { BreakerState } from "../domain/metrics.ts";
import type { Clock } from "../domain/ports.ts";

/** When a breaker opens and for how long. */
export interface BreakerOptions {
  /** Consecutive failures that open it, 1 or more. */
  readonly failureThreshold: number;
  /** How long it stays open before one attempt may probe. */
  readonly recoveryTimeMs: number;
}

/** The right to make one attempt. */
export interface BreakerPermit {
  /** Reports how the attempt ended. Only the first call counts. */
  settle(verdict: HealthVerdict): void;
}

/** Longest delay of Node's timers: opossum's own reset timer never gets to decide. */
const NEVER_MS = 2 ** 31 - 1;

/** opossum wants an emitter that tells it when to rotate statistics; ours stays silent, so no breaker owns a timer. */
const silentRotation = new EventEmitter().setMaxListeners(0);

/**
 * opossum keeps the state and emits the transitions; everything else is decided
 * here, because its own rules mislead a router of long calls: it would count calls
 * in flight, count ignored outcomes as successes, let a success from before an
 * outage close the breaker, and read the machine's clock. So:
 * - attempts run outside of it, and only a settled outcome moves it (`open`, `close`);
 * - permits carry the epoch they were given in: a result from an older state moves nothing;
 * - the open time ends by the Clock, at the next look, by building the instance anew
 *   as half-open;
 * - half-open gives out one permit at a time; an ignored outcome frees it.
 * The reasons, each with its test: docs/decisions/0003-opossum-is-record-only.md.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #options: BreakerOptions;
  readonly #onChange: (state: BreakerState) => void;
  #circuit: CircuitBreaker;
  #epoch = 0;
  #consecutiveFailureCount = 0;
  #openUntilMs = 0;
  #probing = false;

  constructor(clock: Clock, options: BreakerOptions, onChange: (state: BreakerState) => void) {
    this.#clock = clock;
    this.#options = options;
    this.#onChange = onChange;
    this.#circuit = this.#build("closed");
  }

  /** The state now; an open time that is over shows as half-open. */
  get state(): BreakerState {
    this.#endOpenTime();
    if (this.#circuit.closed) return "closed";
    return this.#circuit.halfOpen ? "half_open" : "open";
  }

  get consecutiveFailureCount(): number {
    return this.#consecutiveFailureCount;
  }

  /** How long until an open breaker lets one attempt through; 0 when it is not open. */
  get nextProbeDelayMs(): number {
    return this.state === "open" ? this.#openUntilMs - this.#clock.nowMs() : 0;
  }

  /** Whether `acquire` would give a permit now. */
  get available(): boolean {
    const { state } = this;
    return state === "closed" || (state === "half_open" && !this.#probing);
  }

  /** Gives the right to make one attempt, or undefined when none may be made now. */
  acquire(): BreakerPermit | undefined {
    if (!this.available) return undefined;
    const probe = !this.#circuit.closed;
    if (probe) this.#probing = true;
    const epoch = this.#epoch;
    let settled = false;
    return {
      settle: (verdict) => {
        if (settled) return;
        settled = true;
        if (epoch === this.#epoch) this.#record(verdict);
      },
    };
  }

  /** Releases what opossum holds. The breaker is not used afterwards. */
  close(): void {
    this.#circuit.shutdown();
  }

  #record(verdict: HealthVerdict): void {
    const probe = this.#probing;
    this.#probing = false;
    if (verdict === "ignore") return;
    if (verdict === "success") {
      this.#consecutiveFailureCount = 0;
      if (probe) this.#circuit.close();
      return;
    }
    this.#consecutiveFailureCount += 1;
    if (probe || this.#consecutiveFailureCount >= this.#options.failureThreshold) {
      this.#openUntilMs = this.#clock.nowMs() + this.#options.recoveryTimeMs;
      this.#circuit.open();
    }
  }

  #endOpenTime(): void {
    if (!this.#circuit.opened || this.#clock.nowMs() < this.#openUntilMs) return;
    this.#circuit.removeAllListeners();
    this.#circuit.shutdown();
    this.#circuit = this.#build("half_open");
    this.#enter("half_open");
  }

  #build(state: "closed" | "half_open"): CircuitBreaker {
    const circuit = new CircuitBreaker(async () => {}, {
      timeout: false,
      resetTimeout: NEVER_MS,
      errorThresholdPercentage: 100,
      volumeThreshold: Number.MAX_SAFE_INTEGER,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: silentRotation,
      ...(state === "half_open" ? { state: { closed: false, halfOpen: true } } : {}),
    } as CircuitBreaker.Options);
    circuit.on("open", () => this.#enter("open"));
    circuit.on("close", () => this.#enter("closed"));
    return circuit;
  }

  #enter(state: BreakerState): void {
    this.#epoch += 1;
    this.#probing = false;
    this.#onChange(state);
  }
}
