import type { CandidateTier } from "../../core/candidate-set.ts";
import type { CandidateView } from "../../core/choice/candidate-view.ts";
import type { TurnOrder } from "./turn-order.ts";

/**
 * Each in its turn, in the operator's order. With n usable candidates any n
 * decisions in a row take each once. Who cannot serve loses its turn to the next.
 */
export class RoundRobinOrder implements TurnOrder {
  /** The tier's deployments as they were at the last turn, from the one taken on: who is next comes first. */
  #following: readonly string[] = [];

  take(tier: CandidateTier, usable: readonly CandidateView[]): number {
    const place = this.#findNext(usable);
    this.#remember(tier, usable[place]?.deployment.id);
    return place;
  }

  #findNext(usable: readonly CandidateView[]): number {
    for (const id of this.#following) {
      const place = usable.findIndex((view) => view.deployment.id === id);
      if (place >= 0) return place;
    }
    return 0;
  }

  /** A list instead of a cursor: after a reconfiguration the turn goes on with whoever of it is still there. */
  #remember(tier: CandidateTier, taken: string | undefined): void {
    const ids = tier.deployments.map(({ id }) => id);
    const next = ids.indexOf(taken ?? "") + 1;
    this.#following = [...ids.slice(next), ...ids.slice(0, next)];
  }
}
