import { boundRetryAfterMs } from "../../core/evidence/cooldown.ts";
import type { BreakerFacts, BreakerRule, CountingBreakerOptions } from "./breaker-rule.ts";

/** The seeds' rule: so many failures in a row, a fixed time, the first good probe closes. */
export class CountingRule implements BreakerRule {
  readonly probeSlotCount: number;
  readonly #failureThreshold: number;
  readonly #recoveryTimeMs: number;

  constructor(options: CountingBreakerOptions) {
    this.probeSlotCount = Math.max(options.halfOpenRequests ?? 1, 1);
    this.#failureThreshold = options.failureThreshold;
    this.#recoveryTimeMs = options.recoveryTimeMs;
  }

  tripsOnFailures(consecutiveFailureCount: number): boolean {
    return consecutiveFailureCount >= this.#failureThreshold;
  }

  tripsOnEvidence(): boolean {
    return false;
  }

  open(_wasClosed: boolean, { retryAfterMs }: BreakerFacts): number {
    return Math.max(this.#recoveryTimeMs, boundRetryAfterMs(retryAfterMs) ?? 0);
  }

  followOpenTime(): void {}

  close(): void {}

  requiredSuccessCount(): number {
    return 1;
  }

  admittedRatio(): number {
    return 1;
  }

  reset(): void {}
}
