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
  #bus: GossipBus | undefined;
  #priceFactors: readonly number[];
  #replicas: SluiceReplica[];
  /** Those that serve and those that did before. */
  readonly #all: SluiceReplica[] = [];

  /** `admitStrangers` may join others to the bus that are none of the replicas. */
  constructor(parts: FleetParts, options: SluiceOptions, admitStrangers?: (bus: GossipBus) => Cleanup) {
    this.#parts = parts;
    this.#admitStrangers = admitStrangers;
    this.#options = options;
    this.#priceFactors = parts.world.endpoints.map(() => 1);
    this.#replicas = this.#start();
  }

  /** A replica that has just started gets no requests until it is ready: the next one that is takes them. */
  submit(request: SimRequest): void {
    const first = request.replica;
    const own = this.#replicas[first];
    if (own?.isReady === true) return own.submit(request);
    const inTurn = [...this.#replicas.slice(first), ...this.#replicas.slice(0, first)];
    (inTurn.find((replica) => replica.isReady) ?? inTurn[0])?.submit(request);
  }

  /** New replicas serve from now on; what the old ones have under way they bring to its end. */
  reloadPrices(factors: readonly number[]): void {
    this.close();
    this.#priceFactors = factors;
    this.#replicas = this.#start();
  }

  restart(replica: number): void {
    const old = this.#replicas[replica];
    if (old === undefined) throw new Error(`there is no replica ${replica}`);
    this.#closedCounts.push(old.stateChangeCount);
    this.#closedOpeningCount += old.openingCount;
    old.stopGossip();
    this.#startCount += 1;
    this.#replicas[replica] = this.#startReplica(replica);
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

  checkEnd(): void {
    for (const replica of this.#all) replica.checkEnd();
  }

  agrees(untilMs: number): boolean {
    return this.#parts.world.endpoints.every((_, endpoint) => {
      const [first, ...others] = this.#replicas.map((replica) => replica.describeCounters(endpoint, untilMs));
      return others.every((other) => other === first);
    });
  }

  #start(): SluiceReplica[] {
    const { world, regime, network, seed } = this.#parts;
    this.#startCount += 1;
    this.#bus = this.#options.gossip
      ? new GossipBus(world.clock, network, seed, regime.replicaCount)
      : undefined;
    if (this.#bus !== undefined && this.#admitStrangers !== undefined)
      this.#expelStrangers = this.#admitStrangers(this.#bus);
    return Array.from({ length: regime.replicaCount }, (_, index) => this.#startReplica(index));
  }

  #startReplica(index: number): SluiceReplica {
    const { world, regime, network, seed } = this.#parts;
    const offsetOf = (replica: number) =>
      CLOCK_BASE_MS + network.skewMs * (2 * drawUnit(seed, replica, 0, 0, 61) - 1);
    const replica = new SluiceReplica({
      index,
      fleet: this.#parts,
      config: configureSluice(world.endpoints, regime, this.#options, this.#priceFactors),
      options: this.#options,
      random: seededRandom(deriveSeed(seed, index)),
      clockOffsetMs: offsetOf(index),
      skewOf: (key) => offsetOf(Number(/^replica-(\d+)/.exec(key)?.[1])),
      bus: this.#bus,
      incarnation: this.#startCount,
    });
    this.#all.push(replica);
    return replica;
  }
}
