import type { ReplicaEvidence } from "../../src/core/evidence/replica-evidence.ts";
import type { Clock } from "../../src/domain/ports.ts";
import { drawUnit } from "../world/draws.ts";
import type { NetworkSpec } from "../world/scenario.ts";

/** Takes another replica's messages. */
export type Receive = (messages: readonly ReplicaEvidence[]) => void;

/** Carries messages between replicas, late, out of order, twice or not at all, as the network is. */
export class GossipBus {
  readonly #clock: Clock;
  readonly #network: NetworkSpec;
  readonly #seed: number;
  readonly #receivers: Receive[] = [];
  #sentCount = 0;

  constructor(clock: Clock, network: NetworkSpec, seed: number) {
    this.#clock = clock;
    this.#network = network;
    this.#seed = seed;
  }

  /** Messages handed to the network so far, one per receiver. */
  get sentCount(): number {
    return this.#sentCount;
  }

  /** Replicas join in the order of their numbers. */
  join(receive: Receive): void {
    this.#receivers.push(receive);
  }

  /** Sends to everybody else. */
  publish(from: number, messages: readonly ReplicaEvidence[]): void {
    const { lossRatio, duplicateRatio, minDelayMs, maxDelayMs } = this.#network;
    for (const [to, receive] of this.#receivers.entries()) {
      if (to === from || this.#isCut(from, to)) continue;
      const draw = (salt: number) => drawUnit(this.#seed, this.#sentCount, from, to, salt);
      this.#sentCount += 1;
      if (draw(50) < lossRatio) continue;
      const copyCount = draw(51) < duplicateRatio ? 2 : 1;
      for (let copy = 0; copy < copyCount; copy++) {
        const delayMs = minDelayMs + (maxDelayMs - minDelayMs) * draw(52 + copy);
        this.#clock.timer(delayMs, () => receive(messages));
      }
    }
  }

  #isCut(from: number, to: number): boolean {
    const nowMs = this.#clock.nowMs();
    const { partitionFromMs, partitionUntilMs } = this.#network;
    if (nowMs < partitionFromMs || nowMs >= partitionUntilMs) return false;
    const half = this.#receivers.length / 2;
    return from < half !== to < half;
  }
}
