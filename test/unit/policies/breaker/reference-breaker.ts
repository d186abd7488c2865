import type { BreakerState } from "../../../../src/domain/metrics.ts";
import type { BreakerFacts, BreakerVerdict } from "../../../../src/policies/breaker.ts";

/** What the reference needs to know of a preset. */
export interface ReferenceRule {
  readonly adaptive: boolean;
  readonly failureThreshold: number;
  readonly recoveryTimeMs: number;
  readonly slotCount: number;
  readonly maxPermitAgeMs: number;
}

interface Ticket {
  readonly era: number;
  /** When it took a slot; undefined for a permit of a closed breaker. */
  readonly takenMs: number | undefined;
}

/** The rule of the breaker in its plainest form, both presets, without opossum. */
export class ReferenceBreaker {
  readonly #rule: ReferenceRule;
  readonly #draw: () => number;
  state: BreakerState = "closed";
  failures = 0;
  #era = 0;
  #probeFromMs = 0;
  #earlyFromMs = 0;
  #goodProbes = 0;
  #closedMs: number | undefined;
  #trips: number[] = [];
  #flaps: number[] = [];
  #penaltyUntilMs = 0;
  #probes: Ticket[] = [];

  constructor(rule: ReferenceRule, draw: () => number) {
    this.#rule = rule;
    this.#draw = draw;
  }

  look(nowMs: number): void {
    if (this.state === "open" && nowMs >= this.#probeFromMs) this.#go("half_open");
  }

  available(nowMs: number): boolean {
    this.look(nowMs);
    if (this.state !== "half_open") return this.state === "closed";
    const live = this.#probes.filter(({ takenMs = 0 }) => nowMs - takenMs < this.#rule.maxPermitAgeMs);
    return nowMs >= this.#probeFromMs && live.length < this.#rule.slotCount;
  }

  nextProbeDelayMs(nowMs: number): number {
    this.look(nowMs);
    return this.state === "closed" ? 0 : Math.max(this.#probeFromMs - nowMs, 0);
  }

  admittedRatio(nowMs: number): number {
    this.look(nowMs);
    if (this.state !== "closed") return 0;
    if (!this.#rule.adaptive) return 1;
    return Math.min(this.#ramp(nowMs), nowMs < this.#penaltyUntilMs ? 0.25 : 1);
  }

  acquire(nowMs: number): Ticket | undefined {
    if (!this.available(nowMs)) return undefined;
    if (this.state === "closed") return { era: this.#era, takenMs: undefined };
    // A full house makes room by turning out everybody who is too old.
    const ticket: Ticket = { era: this.#era, takenMs: nowMs };
    this.#probes = this.#probes.filter(({ takenMs = 0 }) => nowMs - takenMs < this.#rule.maxPermitAgeMs);
    this.#probes.push(ticket);
    return ticket;
  }

  settle(ticket: Ticket, verdict: BreakerVerdict, facts: BreakerFacts, nowMs: number): boolean {
    if (ticket.era !== this.#era) return false;
    const probe = ticket.takenMs !== undefined;
    this.#probes = this.#probes.filter((each) => each !== ticket);
    if (verdict === "success") {
      this.failures = 0;
      if (!probe) return true;
      this.#goodProbes += 1;
      const penalty = this.#rule.adaptive && nowMs < this.#penaltyUntilMs;
      if (this.#goodProbes >= (!this.#rule.adaptive ? 1 : penalty ? 5 : 2)) {
        this.#closedMs = nowMs;
        this.#go("closed");
      }
    } else if (verdict === "failure") {
      this.failures += 1;
      const counted = !this.#rule.adaptive && this.failures >= this.#rule.failureThreshold;
      if (probe || counted) this.#open(facts, nowMs);
    } else if (verdict === "limited" && probe) {
      this.#probeFromMs = Math.max(this.#probeFromMs, nowMs + (facts.retryAfterMs ?? 1_000));
    }
    return true;
  }

  assess(statistic: number, coupled: boolean, facts: BreakerFacts, nowMs: number): void {
    if (this.state !== "closed" || !this.#rule.adaptive) return;
    if (statistic >= (coupled || this.#ramp(nowMs) < 1 ? 4.5 : 9)) this.#open(facts, nowMs);
  }

  acquireEarly(nowMs: number): Ticket | undefined {
    this.look(nowMs);
    if (this.state === "open" && nowMs >= this.#earlyFromMs) {
      this.#probeFromMs = nowMs;
      this.#go("half_open");
    }
    return this.acquire(nowMs);
  }

  reset(): void {
    this.failures = 0;
    this.#trips = [];
    this.#flaps = [];
    this.#penaltyUntilMs = 0;
    this.#closedMs = undefined;
    if (this.state !== "closed") this.#go("closed");
  }

  #open({ retryAfterMs = 0, hung = false }: BreakerFacts, nowMs: number): void {
    let openMs = this.#rule.recoveryTimeMs;
    if (this.#rule.adaptive) {
      if (this.state === "closed" && this.#closedMs !== undefined && nowMs - this.#closedMs < 30_000) {
        this.#flaps = [...this.#flaps.filter((flapMs) => nowMs - flapMs < 300_000), nowMs];
        if (this.#flaps.length === 3) {
          this.#flaps = [];
          this.#penaltyUntilMs = nowMs + 120_000;
        }
      }
      this.#trips = this.#trips.filter((tripMs) => nowMs - tripMs < 300_000);
      const capMs = hung ? 60_000 : 30_000;
      const chance = this.#draw();
      openMs = 1_000 * 2 ** Math.min(this.#trips.length, 6) * (0.75 + 0.5 * chance);
      if (openMs > capMs) openMs = capMs * (1 - 0.25 * chance);
      this.#trips.push(nowMs);
    }
    this.#probeFromMs = nowMs + Math.max(openMs, retryAfterMs);
    this.#earlyFromMs = nowMs + Math.max(1_000, retryAfterMs);
    this.#go("open");
  }

  #ramp(nowMs: number): number {
    return this.#closedMs === undefined ? 1 : Math.min(Math.max((nowMs - this.#closedMs) / 10_000, 0.1), 1);
  }

  #go(state: BreakerState): void {
    this.state = state;
    this.#era += 1;
    this.#probes = [];
    this.#goodProbes = 0;
  }
}
