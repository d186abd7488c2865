import type { BreakerState } from "../../../../src/domain/metrics.ts";
import type { Clock, Random } from "../../../../src/domain/ports.ts";
import {
  Breaker,
  type BreakerFacts,
  type BreakerOptions,
  type BreakerPermit,
  type BreakerVerdict,
} from "../../../../src/policies/breaker.ts";

/** Time that a test moves by hand, at once. A breaker that set a timer would be found out. */
export class ManualClock implements Clock {
  ms = 1_000;

  nowMs(): number {
    return this.ms;
  }

  wallMs(): number {
    return this.ms;
  }

  timer(): () => void {
    throw new Error("a breaker sets no timer");
  }
}

/** Chance in the middle: no jitter. */
export const MIDDLE: Random = { next: () => 0.5 };

/** The seeds' breaker, small. */
export const COUNTING: BreakerOptions = { kind: "counting", failureThreshold: 3, recoveryTimeMs: 1_000 };
export const ADAPTIVE: BreakerOptions = { kind: "adaptive" };

/** One breaker and what a test does to it. */
export class BreakerBench {
  readonly clock = new ManualClock();
  readonly transitions: BreakerState[] = [];
  readonly breaker: Breaker;

  constructor(options: BreakerOptions, random: Random = MIDDLE) {
    this.breaker = new Breaker(this.clock, options, (state) => this.transitions.push(state), random);
  }

  take(): BreakerPermit {
    const permit = this.breaker.acquire();
    if (permit === undefined) throw new Error("the breaker gave no permit");
    return permit;
  }

  /** One whole attempt. */
  attempt(verdict: BreakerVerdict, facts?: BreakerFacts): void {
    this.take().settle(verdict, facts);
  }

  attempts(count: number, verdict: BreakerVerdict): void {
    for (let time = 0; time < count; time++) this.attempt(verdict);
  }

  wait(ms: number): void {
    this.clock.ms += ms;
  }

  /** Opens it as its preset does, and waits until it is half-open. Returns how long it was open. */
  openThenHalfOpen(facts?: BreakerFacts): number {
    this.breaker.trip(facts);
    const openMs = this.breaker.nextProbeDelayMs;
    this.wait(openMs);
    return openMs;
  }

  /** Closes a half-open one by good probes. Returns how many it took. */
  heal(): number {
    for (let count = 1; ; count++) {
      this.attempt("success");
      if (this.breaker.state === "closed") return count;
    }
  }
}
