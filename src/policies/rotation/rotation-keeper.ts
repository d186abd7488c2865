/** The memory of every strict order: who is next where. One per process. */

import type { CandidateTier } from "../../core/candidate-set.ts";
import { findWeight } from "../../core/candidates/pool-weights.ts";
import type { CandidateView } from "../../core/choice/candidate-view.ts";
import type { TierRotation } from "../../core/choice/tier-rotation.ts";
import type { Deployment } from "../../domain/deployment.ts";
import type { Pool } from "../../domain/targets.ts";
import { AnswerTimes, FastestOrder } from "./fastest-order.ts";
import { LeastRecentlyUsedOrder } from "./least-recently-used-order.ts";
import { RoundRobinOrder } from "./round-robin-order.ts";
import type { TurnOrder } from "./turn-order.ts";
import { UseLog } from "./use-log.ts";
import { WeightedOrder } from "./weighted-order.ts";

/** What the keeper needs to know of a configuration. */
export interface RotationConfig {
  readonly pools: readonly Pool[];
  /** Every configured deployment. */
  readonly deployments: readonly Deployment[];
}

/**
 * Keeps an order for each tier that asks for one, by the tier's name and rotation. A new
 * configuration changes weights and forgets deployments that are gone; the turns of the
 * rest go on where they were. Tiers are configured ones only: callers cannot make it grow.
 */
export class RotationKeeper implements TierRotation {
  readonly #orders = new Map<string, TurnOrder>();
  readonly #uses = new UseLog();
  readonly #times = new AnswerTimes();
  #weights = new Map<string, Pool["weights"]>();

  constructor(config: RotationConfig) {
    this.configure(config);
  }

  /** Takes a new configuration over. */
  configure({ pools, deployments }: RotationConfig): void {
    this.#weights = new Map(pools.map((pool) => [`pool ${pool.name}`, pool.weights]));
    const ids = new Set(deployments.map(({ id }) => id));
    this.#uses.keepOnly(ids);
    this.#times.keepOnly(ids);
    for (const [key, order] of this.#orders) {
      if (order instanceof WeightedOrder) order.setWeights(this.#weightsOf(readTierName(key)));
    }
  }

  /** Remembers a dispatch that no strict order decided, for the least recently used. */
  noteUse(deploymentId: string): void {
    this.#uses.noteUse(deploymentId);
  }

  /** Remembers the time of a whole answer, for the fastest. */
  noteAnswer(deploymentId: string, totalMs: number): void {
    this.#times.noteAnswer(deploymentId, totalMs);
  }

  /** As `TierRotation.take`; `adaptive` and `fixed` tiers answer their first. */
  take(tier: CandidateTier, usable: readonly CandidateView[], nowMs: number): number {
    if (tier.rotation === "adaptive" || tier.rotation === "fixed") return 0;
    const key = `${tier.rotation} ${tier.name}`;
    let order = this.#orders.get(key);
    if (order === undefined) {
      order = this.#openOrder(tier.rotation, tier.name);
      this.#orders.set(key, order);
    }
    return order.take(tier, usable, nowMs);
  }

  #openOrder(
    rotation: Exclude<CandidateTier["rotation"], "adaptive" | "fixed">,
    tierName: string,
  ): TurnOrder {
    switch (rotation) {
      case "round_robin":
        return new RoundRobinOrder();
      case "least_recently_used":
        return new LeastRecentlyUsedOrder(this.#uses);
      case "weighted":
        return new WeightedOrder(this.#weightsOf(tierName));
      case "fastest":
        return new FastestOrder(this.#times);
    }
  }

  #weightsOf(tierName: string): (deployment: Deployment) => number {
    const weights = this.#weights.get(tierName) ?? {};
    return (deployment) => findWeight(weights, deployment);
  }
}

function readTierName(key: string): string {
  return key.slice(key.indexOf(" ") + 1);
}
