import type { Clock, Random } from "../domain/ports.ts";
import type { FaultKind } from "../domain/simulation.ts";
import { draw } from "../providers/simulator/distribution.ts";
import { chooseFault } from "../providers/simulator/fault-schedule.ts";
import type { SimulationSettings } from "./simulation-settings.ts";

/** What will happen to one request. */
export interface Fate {
  readonly fault: FaultKind | undefined;
  readonly timeToFirstTokenMs: number;
  /** Infinity sends all at once. */
  readonly tokensPerSecond: number;
  /** 1 or more. */
  readonly outputTokens: number;
}

/**
 * Decides what happens to requests, in the order in which they arrive. Each takes the
 * same count of numbers from `random`, so a seed gives the n-th request the same fate.
 */
export class FateChooser {
  readonly #settings: SimulationSettings;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #startedMs: number;

  constructor(settings: SimulationSettings, clock: Clock, random: Random) {
    this.#settings = settings;
    this.#clock = clock;
    this.#random = random;
    this.#startedMs = clock.nowMs();
  }

  choose(model: string): Fate {
    const { schedule, faultRatios, timeToFirstToken, tokensPerSecond, outputTokens } = this.#settings;
    const chance = this.#random.next();
    const elapsedMs = this.#clock.nowMs() - this.#startedMs;
    const paceTokens = draw(tokensPerSecond, this.#random);
    return {
      fault: chooseFault(schedule, faultRatios, { elapsedMs, model, chance }),
      timeToFirstTokenMs: draw(timeToFirstToken, this.#random),
      tokensPerSecond: paceTokens > 0 ? paceTokens : Number.POSITIVE_INFINITY,
      outputTokens: Math.max(1, Math.round(draw(outputTokens, this.#random))),
    };
  }
}
