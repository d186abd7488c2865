/** One circuit breaker per deployment. The only file that imports opossum. */

import { EventEmitter } from "node:events";
import CircuitBreaker from "opossum";
import { boundRetryAfterMs } from "../core/evidence/cooldown.ts";
import type { BreakerState } from "../domain/metrics.ts";
import type { Clock, Random } from "../domain/ports.ts";
import { systemRandom } from "../lib/random.ts";
import { AdaptiveRule } from "./breaker/adaptive-rule.ts";
import type { BreakerFacts, BreakerOptions, BreakerRule, BreakerVerdict } from "./breaker/breaker-rule.ts";
import { CountingRule } from "./breaker/counting-rule.ts";
import { ProbeSlots, type ProbeTicket } from "./breaker/probe-slots.ts";

export type { BreakerFacts, BreakerOptions, BreakerVerdict } from "./breaker/breaker-rule.ts";

/** The right to make one attempt. */
export interface BreakerPermit {
  /** Whether it was given in the present state of the breaker, which has not changed since. */
  isCurrent(): boolean;
  /**
   * Reports how the attempt ended. Only the first call counts. Returns whether the
   * attempt belongs to the present state of the breaker: false for one from before it
   * opened or closed, which must not count as evidence about the time since.
   */
  settle(verdict: BreakerVerdict, facts?: BreakerFacts): boolean;
}

/** Longest delay of Node's timers: opossum's own reset timer never gets to decide. */
const NEVER_MS = 2 ** 31 - 1;
const DEFAULT_MAX_PERMIT_AGE_MS = 120_000;
/** Between two probes of an open breaker that were made because nothing else was left. */
const MIN_EARLY_DELAY_MS = 1_000;
/** How long a probe waits that was refused for its rate by a provider that names no time. */
const LIMITED_PROBE_DELAY_MS = 1_000;
const NO_FACTS: BreakerFacts = {};
/** Word of a probe that succeeded elsewhere ends an open time early, but not more often than this. */
const MIN_HASTEN_INTERVAL_MS = 10_000;

/** opossum wants an emitter that tells it when to rotate statistics; ours stays silent, so no breaker owns a timer. */
const silentRotation = new EventEmitter().setMaxListeners(0);

/**
 * opossum keeps the state and emits the transitions; everything else is decided
 * here and by the rule of the preset, because its own rules mislead a router of long
 * calls: it would count calls in flight, count ignored outcomes as successes, let a
 * success from before an outage close the breaker, and read the machine's clock. So:
 * - attempts run outside of it, and only a settled outcome or told evidence moves it (`open`, `close`);
 * - permits carry the epoch they were given in: a result from an older state moves nothing;
 * - the open time ends by the Clock, at the next look, by building the instance anew
 *   as half-open;
 * - half-open gives out as many permits at a time as the rule says; an ignored outcome
 *   frees its slot, a refused one delays the next probe, a hung one loses its slot by age.
 * The reasons, each with its test: docs/decisions/0003-opossum-is-record-only.md.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #onChange: (state: BreakerState) => void;
  readonly #rule: BreakerRule;
  readonly #slots: ProbeSlots;
  #circuit: CircuitBreaker;
  #epoch = 0;
  #consecutiveFailureCount = 0;
  #probeSuccessCount = 0;
  #openedMs = Number.NEGATIVE_INFINITY;
  /** The provider asked not to be called before. */
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  /** No attempt is let through before, by the Clock; counts while not closed. */
  #probeFromMs = 0;
  #hastenedMs = Number.NEGATIVE_INFINITY;
  #mayProbe: ((waitedMs: number) => boolean) | undefined;

  /** `random` spreads the open times of the adaptive preset. */
  constructor(
    clock: Clock,
    options: BreakerOptions,
    onChange: (state: BreakerState) => void,
    random: Random = systemRandom,
  ) {
    this.#clock = clock;
    this.#onChange = onChange;
    this.#rule = options.kind === "adaptive" ? new AdaptiveRule(options, random) : new CountingRule(options);
    this.#slots = new ProbeSlots(
      this.#rule.probeSlotCount,
      options.maxPermitAgeMs ?? DEFAULT_MAX_PERMIT_AGE_MS,
    );
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

  /** How long until a probe may be made; 0 when it may be now, or needs not be. */
  get nextProbeDelayMs(): number {
    return this.state === "closed" ? 0 : Math.max(this.#probeFromMs - this.#clock.nowMs(), 0);
  }

  /** When a probe may be made, by the Clock; 0 while closed. */
  get probeFromMs(): number {
    return this.state === "closed" ? 0 : this.#probeFromMs;
  }

  /** Whether `acquire` would give a permit now. */
  get available(): boolean {
    const { state } = this;
    if (state !== "half_open") return state === "closed";
    const nowMs = this.#clock.nowMs();
    if (nowMs < this.#probeFromMs || !this.#slots.hasRoom(nowMs)) return false;
    // Whose turn it was when the open time ended may have passed without a request that could probe.
    return this.#probeSuccessCount > 0 || this.#mayProbe?.(nowMs - this.#probeFromMs) !== false;
  }

  /**
   * The share of its traffic that the deployment should get, 0 to 1: 0 while open or
   * half-open, less than 1 for a while after closing. Whoever chooses keeps to it;
   * `acquire` does not look at it.
   */
  get admittedRatio(): number {
    return this.state === "closed" ? this.#rule.admittedRatio(this.#clock.nowMs()) : 0;
  }

  /** Sets who says, for a deployment that other replicas probe too, whether it is this one's turn; `waitedMs`: since a probe was due. */
  guardProbes(mayProbe: (waitedMs: number) => boolean): void {
    this.#mayProbe = mayProbe;
  }

  /** Another replica's probes have succeeded: one of our own may follow after `delayMs`, never before a Retry-After. */
  hastenProbe(delayMs: number): void {
    const nowMs = this.#clock.nowMs();
    if (this.#circuit.closed || nowMs - this.#hastenedMs < MIN_HASTEN_INTERVAL_MS) return;
    this.#hastenedMs = nowMs;
    const earliestMs = Math.max(this.#notBeforeMs, this.#openedMs + MIN_EARLY_DELAY_MS, nowMs + delayMs);
    this.#probeFromMs = Math.min(this.#probeFromMs, earliestMs);
  }

  /** Another replica that probed in vain asks again only after `openMs`: our next open time is longer still. Changes nothing while closed. */
  followOpenTime(openMs: number): void {
    if (!this.#circuit.closed) this.#rule.followOpenTime(openMs);
  }

  /**
   * Others have probed in vain: what our probes have shown so far is void, and the next may wait for `delayMs`, but
   * not longer than `maxWaitMs` after it opened.
   */
  deferProbe(delayMs: number, maxWaitMs: number): void {
    const nowMs = this.#clock.nowMs();
    const untilMs = Math.min(nowMs + delayMs, this.#openedMs + maxWaitMs);
    // Beyond the bound nobody's word changes anything, or a liar could keep it from ever closing.
    if (this.#circuit.closed || untilMs <= nowMs) return;
    this.#probeSuccessCount = 0;
    this.#probeFromMs = Math.max(this.#probeFromMs, untilMs);
  }

  /** Gives the right to make one attempt, or undefined when none may be made now. */
  acquire(): BreakerPermit | undefined {
    return this.available ? this.#give() : undefined;
  }

  #give(): BreakerPermit {
    const ticket = this.#circuit.closed ? undefined : this.#slots.take(this.#clock.nowMs());
    const epoch = this.#epoch;
    let settled = false;
    const isCurrent = () => epoch === this.#epoch;
    return {
      isCurrent,
      settle: (verdict, facts = NO_FACTS) => {
        if (settled || !isCurrent()) return false;
        settled = true;
        this.#record(verdict, facts, ticket);
        return true;
      },
    };
  }

  /** Whether `acquireEarly` would give a permit now. */
  get earlyAvailable(): boolean {
    if (this.available) return true;
    const nowMs = this.#clock.nowMs();
    // Half-open, and neither its time nor its turn has come: as good as open, unless a probe is under way.
    if (this.#circuit.halfOpen && !this.#slots.hasRoom(nowMs)) return false;
    return nowMs >= this.#notBeforeMs && nowMs - this.#openedMs >= MIN_EARLY_DELAY_MS;
  }

  /**
   * As `acquire`, but ends an open time early for one probe, because no other
   * deployment is left: at most once a second, and never before a Retry-After.
   */
  acquireEarly(): BreakerPermit | undefined {
    if (!this.earlyAvailable) return undefined;
    this.#probeFromMs = Math.min(this.#probeFromMs, this.#clock.nowMs());
    // No other deployment is left, so whose turn it is does not matter.
    if (this.#circuit.opened) this.#becomeHalfOpen();
    return this.#give();
  }

  /**
   * Tells the trip statistic after new evidence; the adaptive preset opens by it.
   * `coupled`: other deployments of the provider have just tripped.
   */
  assess(tripStatistic: number, facts: BreakerFacts = NO_FACTS, coupled = false): void {
    if (!this.#circuit.closed) return;
    if (this.#rule.tripsOnEvidence(tripStatistic, coupled, this.#clock.nowMs())) this.#open(facts);
  }

  /** Opens it if it is closed: an attempt made to verify other replicas' evidence has failed. */
  trip(facts: BreakerFacts = NO_FACTS): void {
    if (this.#circuit.closed) this.#open(facts);
  }

  /** Closes it and forgets what happened: an operator says that all is well. */
  reset(): void {
    this.#rule.reset();
    this.#consecutiveFailureCount = 0;
    this.#circuit.close();
  }

  /** Releases what opossum holds. The breaker is not used afterwards. */
  close(): void {
    this.#circuit.shutdown();
  }

  #record(verdict: BreakerVerdict, facts: BreakerFacts, ticket: ProbeTicket | undefined): void {
    if (ticket !== undefined) this.#slots.free(ticket);
    if (verdict === "failure") {
      this.#consecutiveFailureCount += 1;
      if (ticket !== undefined || this.#rule.tripsOnFailures(this.#consecutiveFailureCount))
        this.#open(facts);
    } else if (verdict === "success") {
      this.#consecutiveFailureCount = 0;
      if (ticket !== undefined) this.#countGoodProbe();
    } else if (verdict === "limited" && ticket !== undefined) {
      const delayMs = boundRetryAfterMs(facts.retryAfterMs) ?? LIMITED_PROBE_DELAY_MS;
      this.#notBeforeMs = Math.max(this.#notBeforeMs, this.#clock.nowMs() + delayMs);
      this.#probeFromMs = Math.max(this.#probeFromMs, this.#notBeforeMs);
    }
  }

  #countGoodProbe(): void {
    const nowMs = this.#clock.nowMs();
    this.#probeSuccessCount += 1;
    if (this.#probeSuccessCount < this.#rule.requiredSuccessCount(nowMs)) return;
    this.#rule.close(nowMs);
    this.#circuit.close();
  }

  #open(facts: BreakerFacts): void {
    const nowMs = this.#clock.nowMs();
    this.#openedMs = nowMs;
    this.#notBeforeMs = nowMs + (boundRetryAfterMs(facts.retryAfterMs) ?? 0);
    this.#probeFromMs = nowMs + this.#rule.open(this.#circuit.closed, facts, nowMs);
    this.#circuit.open();
  }

  #endOpenTime(): void {
    if (!this.#circuit.opened) return;
    const waitedMs = this.#clock.nowMs() - this.#probeFromMs;
    if (waitedMs < 0 || this.#mayProbe?.(waitedMs) === false) return;
    this.#becomeHalfOpen();
  }

  #becomeHalfOpen(): void {
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
    this.#slots.clear();
    this.#probeSuccessCount = 0;
    this.#onChange(state);
  }
}
