import type { CandidateTier } from "../../core/candidate-set.ts";
import type { CandidateView } from "../../core/choice/candidate-view.ts";
import type { TurnOrder } from "./turn-order.ts";
import type { UseLog } from "./use-log.ts";

/**
 * Whoever was not used for longest, by any target; the never used first, in the
 * operator's order. Unlike taking turns it counts what other targets took as well.
 */
export class LeastRecentlyUsedOrder implements TurnOrder {
  readonly #uses: UseLog;

  constructor(uses: UseLog) {
    this.#uses = uses;
  }

  take(_tier: CandidateTier, usable: readonly CandidateView[]): number {
    let oldest = 0;
    let oldestUse = Number.POSITIVE_INFINITY;
    for (let place = 0; place < usable.length; place++) {
      const use = this.#uses.lastUseOf(usable[place]?.deployment.id ?? "");
      if (use < oldestUse) {
        oldest = place;
        oldestUse = use;
      }
    }
    this.#uses.noteUse(usable[oldest]?.deployment.id ?? "");
    return oldest;
  }
}
