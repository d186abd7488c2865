import { countConvincingSuccesses } from "../../core/evidence/convincing-successes.ts";
import { boundRetryAfterMs } from "../../core/evidence/cooldown.ts";
import { TRIAL_TRIP_THRESHOLD, TRIP_THRESHOLD } from "../../core/evidence/trip-statistic.ts";
import type { Random } from "../../domain/ports.ts";
import type { AdaptiveBreakerOptions, BreakerFacts, BreakerRule } from "./breaker-rule.ts";
import { FlappingPenalty } from "./flapping-penalty.ts";

const BASE_OPEN_MS = 1_000;
const MAX_OPEN_MS = 30_000;
/** A hung deployment costs a whole timeout per probe, so it is asked less often. */
const MAX_HUNG_OPEN_MS = 60_000;
const JITTER_RATIO = 0.25;
/** Trips longer ago than this do not lengthen the open time. */
const TRIP_MEMORY_MS = 300_000;
/** More trips than this change nothing: 2^6 s is beyond both caps. */
const MAX_TRIP_COUNT = 6;
const REQUIRED_SUCCESS_COUNT = 2;
const RAMP_MS = 10_000;
const MIN_RAMP_RATIO = 0.1;

/**
 * The adaptive rule (routing.md 4.4): evidence opens it, for 1 s × 2^k (k: trips in
 * the last 5 min) ± 25 %, at most 30 s, 60 s for hangs; two good probes close it; after
 * that its share ramps up over 10 s, during which half the evidence opens it again.
 */
export class AdaptiveRule implements BreakerRule {
  readonly probeSlotCount: number;
  readonly #random: Random;
  readonly #flapping = new FlappingPenalty();
  /** When it opened in the last minutes, oldest first; bounded. */
  #tripsMs: number[] = [];
  /** The exponent that other replicas' failed probes have come to: the outage is one, whoever asks. */
  #elsewhereExponent = 0;
  #closedMs: number | undefined;
  #requiredCount = REQUIRED_SUCCESS_COUNT;
  #capMs = MAX_OPEN_MS;

  constructor(options: AdaptiveBreakerOptions, random: Random) {
    this.probeSlotCount = Math.max(options.halfOpenRequests ?? 1, 1);
    this.#random = random;
  }

  tripsOnFailures(): boolean {
    return false;
  }

  tripsOnEvidence(tripStatistic: number, coupled: boolean, nowMs: number): boolean {
    const onTrial = coupled || this.#rampRatio(nowMs) < 1;
    return tripStatistic >= (onTrial ? TRIAL_TRIP_THRESHOLD : TRIP_THRESHOLD);
  }

  open(wasClosed: boolean, { retryAfterMs, hung, failureRatio = 1 }: BreakerFacts, nowMs: number): number {
    if (wasClosed && this.#closedMs !== undefined) this.#flapping.noteTrip(this.#closedMs, nowMs);
    this.#requiredCount = countConvincingSuccesses(failureRatio, REQUIRED_SUCCESS_COUNT);
    this.#capMs = hung === true ? MAX_HUNG_OPEN_MS : MAX_OPEN_MS;
    return Math.max(this.#countTrip(nowMs), boundRetryAfterMs(retryAfterMs) ?? 0);
  }

  #countTrip(nowMs: number): number {
    this.#tripsMs = this.#tripsMs.filter((tripMs) => nowMs - tripMs < TRIP_MEMORY_MS).slice(-MAX_TRIP_COUNT);
    const exponent = Math.max(this.#tripsMs.length, this.#elsewhereExponent);
    this.#tripsMs.push(nowMs);
    return this.#jitter(BASE_OPEN_MS * 2 ** exponent, this.#capMs);
  }

  followOpenTime(openMs: number): void {
    const exponent = Math.round(Math.log2(Math.max(openMs / BASE_OPEN_MS, 1))) + 1;
    this.#elsewhereExponent = Math.min(Math.max(this.#elsewhereExponent, exponent), MAX_TRIP_COUNT);
  }

  close(nowMs: number): void {
    this.#closedMs = nowMs;
    this.#elsewhereExponent = 0;
  }

  requiredSuccessCount(nowMs: number): number {
    return this.#flapping.requiredSuccessCount(nowMs) ?? this.#requiredCount;
  }

  admittedRatio(nowMs: number): number {
    return Math.min(this.#rampRatio(nowMs), this.#flapping.maxShareRatio(nowMs));
  }

  reset(): void {
    this.#tripsMs = [];
    this.#elsewhereExponent = 0;
    this.#closedMs = undefined;
    this.#flapping.reset();
  }

  #rampRatio(nowMs: number): number {
    if (this.#closedMs === undefined) return 1;
    return Math.min(Math.max((nowMs - this.#closedMs) / RAMP_MS, MIN_RAMP_RATIO), 1);
  }

  /** ± 25 %; at the cap only downwards, or all replicas would come back at once. */
  #jitter(openMs: number, capMs: number): number {
    const chance = this.#random.next();
    const jitteredMs = openMs * (1 - JITTER_RATIO + 2 * JITTER_RATIO * chance);
    return jitteredMs <= capMs ? jitteredMs : capMs * (1 - JITTER_RATIO * chance);
  }
}
