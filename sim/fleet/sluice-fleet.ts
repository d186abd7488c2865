import type { Cleanup } from "../../src/domain/ports.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { deriveSeed, drawUnit } from "../world/draws.ts";
import type { SimRequest } from "../world/workload.ts";
import type { Fleet, FleetParts } from "./fleet.ts";
import { GossipBus } from "./gossip-bus.ts";
import { configureSluice, type SluiceOptions } from "./sluice-options.ts";
import { SluiceReplica } from "./sluice-replica.ts";

/** Keeps all clocks above zero, whatever their skew. */
const CLOCK_BASE_MS = 100_000;

/** Replicas of the shipped router that tell each other what they count. */
export class SluiceFleet implements Fleet {
  readonly #parts: FleetParts;
  readonly #options: SluiceOptions;
  #closedOpeningCount = 0;
  readonly #closedCounts: number[] = [];
  readonly #admitStrangers: ((bus: GossipBus) => Cleanup) | undefined;
  #expelStrangers: Cleanup = () => {};
  #startCount = 0;
  #replicas: readonly SluiceReplica[];

  /** `admitStrangers` may join others to the bus that are none of the replicas. */
  constructor(parts: FleetParts, options: SluiceOptions, admitStrangers?: (bus: GossipBus) => Cleanup) {
    this.#parts = parts;
    this.#admitStrangers = admitStrangers;
    this.#options = options;
    this.#replicas = this.#start(parts.world.endpoints.map(() => 1));
  }

  submit(request: SimRequest): void {
    this.#replicas[request.replica]?.submit(request);
  }

  /** New replicas serve from now on; what the old ones have under way they bring to its end. */
  reloadPrices(factors: readonly number[]): void {
    this.close();
    this.#replicas = this.#start(factors);
  }

  close(): void {
    this.#expelStrangers();
    for (const replica of this.#replicas) {
      this.#closedCounts.push(replica.stateChangeCount);
      this.#closedOpeningCount += replica.openingCount;
      replica.stopGossip();
    }
    this.#replicas = [];
  }

  countReplicasAgainst(endpoint: number): number {
    return this.#replicas.filter((replica) => replica.isAgainst(endpoint)).length;
  }

  get stateChangeCount(): number {
    const running = this.#replicas.map((replica) => replica.stateChangeCount);
    return [...this.#closedCounts, ...running].reduce((sum, count) => sum + count, 0);
  }

  /** How often a closed breaker has opened. */
  get openingCount(): number {
    return this.#replicas.reduce((sum, replica) => sum + replica.openingCount, 0) + this.#closedOpeningCount;
  }

  #start(priceFactors: readonly number[]): readonly SluiceReplica[] {
    const { world, regime, network, seed } = this.#parts;
    this.#startCount += 1;
    const config = configureSluice(world.endpoints, regime, this.#options, priceFactors);
    const bus = this.#options.gossip
      ? new GossipBus(world.clock, network, seed, regime.replicaCount)
      : undefined;
    if (bus !== undefined && this.#admitStrangers !== undefined)
      this.#expelStrangers = this.#admitStrangers(bus);
    return Array.from({ length: regime.replicaCount }, (_, index) => {
      const skewMs = network.skewMs * (2 * drawUnit(seed, index, 0, 0, 61) - 1);
      return new SluiceReplica({
        index,
        fleet: this.#parts,
        config,
        options: this.#options,
        random: seededRandom(deriveSeed(seed, index)),
        clockOffsetMs: CLOCK_BASE_MS + skewMs,
        bus,
        incarnation: this.#startCount,
      });
    });
  }
}
