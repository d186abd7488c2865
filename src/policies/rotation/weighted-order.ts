import type { CandidateTier } from "../../core/candidate-set.ts";
import type { CandidateView } from "../../core/choice/candidate-view.ts";
import type { Deployment } from "../../domain/deployment.ts";
import type { TurnOrder } from "./turn-order.ts";

/**
 * In proportion to weights, and evenly spread: smooth weighted round-robin (nginx's).
 * Each turn everybody gains its weight, the highest is taken and pays the sum. With
 * whole weights any run of as many decisions as their sum takes each exactly as often
 * as its weight. A weight of 0 serves only when nothing else can.
 */
export class WeightedOrder implements TurnOrder {
  readonly #credits = new Map<string, number>();
  #weightOf: (deployment: Deployment) => number;

  constructor(weightOf: (deployment: Deployment) => number) {
    this.#weightOf = weightOf;
  }

  /** New weights hold from the next turn; what was earned stays. */
  setWeights(weightOf: (deployment: Deployment) => number): void {
    this.#weightOf = weightOf;
  }

  take(tier: CandidateTier, usable: readonly CandidateView[]): number {
    this.#forgetOthers(tier);
    let sum = 0;
    let taken = -1;
    let highest = Number.NEGATIVE_INFINITY;
    for (let place = 0; place < usable.length; place++) {
      const deployment = usable[place]?.deployment;
      if (deployment === undefined) continue;
      const weight = this.#weightOf(deployment);
      const credit = (this.#credits.get(deployment.id) ?? 0) + weight;
      this.#credits.set(deployment.id, credit);
      sum += weight;
      if (credit > highest) {
        highest = credit;
        taken = place;
      }
    }
    const id = usable[taken]?.deployment.id;
    if (id === undefined) return 0;
    this.#credits.set(id, highest - sum);
    return taken;
  }

  #forgetOthers(tier: CandidateTier): void {
    if (this.#credits.size <= tier.deployments.length) return;
    const ids = new Set(tier.deployments.map(({ id }) => id));
    for (const id of this.#credits.keys()) {
      if (!ids.has(id)) this.#credits.delete(id);
    }
  }
}
