import type { CandidateTier } from "../../core/candidate-set.ts";
import type { CandidateView } from "../../core/choice/candidate-view.ts";
import type { TurnOrder } from "./turn-order.ts";

/** How long the fastest stays the fastest before the times are compared again (seed 003). */
const CACHE_MS = 60_000;

/** The last answer's time of each deployment. */
export class AnswerTimes {
  readonly #lastMs = new Map<string, number>();

  /** Remembers how long a whole answer took. */
  noteAnswer(deploymentId: string, totalMs: number): void {
    this.#lastMs.set(deploymentId, totalMs);
  }

  /** Undefined for one that has not answered yet. */
  lastMsOf(deploymentId: string): number | undefined {
    return this.#lastMs.get(deploymentId);
  }

  /** Forgets deployments that are no longer configured. */
  keepOnly(deploymentIds: ReadonlySet<string>): void {
    for (const id of this.#lastMs.keys()) {
      if (!deploymentIds.has(id)) this.#lastMs.delete(id);
    }
  }
}

/**
 * Whoever answered fastest last; one that was never measured comes before all, so that
 * everyone gets measured. The same is taken for 60 s, or until it cannot serve.
 */
export class FastestOrder implements TurnOrder {
  readonly #times: AnswerTimes;
  #fastestId: string | undefined;
  #untilMs = 0;

  constructor(times: AnswerTimes) {
    this.#times = times;
  }

  take(_tier: CandidateTier, usable: readonly CandidateView[], nowMs: number): number {
    if (nowMs < this.#untilMs) {
      const kept = usable.findIndex((view) => view.deployment.id === this.#fastestId);
      if (kept >= 0) return kept;
    }
    const place = this.#findFastest(usable);
    this.#fastestId = usable[place]?.deployment.id;
    this.#untilMs = nowMs + CACHE_MS;
    return place;
  }

  #findFastest(usable: readonly CandidateView[]): number {
    let fastest = 0;
    let fastestMs = Number.POSITIVE_INFINITY;
    for (let place = 0; place < usable.length; place++) {
      const lastMs = this.#times.lastMsOf(usable[place]?.deployment.id ?? "") ?? 0;
      if (lastMs < fastestMs) {
        fastest = place;
        fastestMs = lastMs;
      }
    }
    return fastest;
  }
}
