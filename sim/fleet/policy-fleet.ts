import { seededRandom } from "../../src/lib/random.ts";
import type { Policy, PolicyContext } from "../policies/policy.ts";
import { deriveSeed } from "../world/draws.ts";
import { FIRST_TOKEN_TIMEOUT_MS } from "../world/regime.ts";
import type { SimRequest } from "../world/workload.ts";
import type { WorldView } from "../world/world.ts";
import type { Fleet, FleetParts } from "./fleet.ts";
import { PolicyWalk } from "./policy-walk.ts";

/** What a policy that knows the truth is made with; only the oracle takes it. */
export type FleetPolicyFactory = (context: PolicyContext, world: WorldView) => Policy;

/**
 * Replicas of a policy, each on its own: the same attempts, deadlines, time to a first
 * token and failure classes as the router's.
 */
export class PolicyFleet implements Fleet {
  readonly stateChangeCount = 0;
  readonly #parts: FleetParts;
  readonly #make: (index: number) => Policy;
  readonly #policies: Policy[];
  #priceFactors: readonly number[];

  constructor(parts: FleetParts, make: FleetPolicyFactory) {
    const { world, regime, seed } = parts;
    this.#parts = parts;
    this.#priceFactors = world.endpoints.map(() => 1);
    this.#make = (index) =>
      make(
        {
          endpoints: world.endpoints,
          regime,
          random: seededRandom(deriveSeed(seed, 1_000 + index)),
          fleet: this,
          nowMs: () => world.clock.nowMs(),
          priceFactorOf: (endpoint) => this.#priceFactors[endpoint] ?? 1,
        },
        world,
      );
    this.#policies = Array.from({ length: regime.replicaCount }, (_, index) => this.#make(index));
  }

  submit(request: SimRequest): void {
    const policy = this.#policies[request.replica];
    if (policy === undefined) throw new Error(`there is no replica ${request.replica}`);
    new PolicyWalk(this.#parts, policy, request, FIRST_TOKEN_TIMEOUT_MS).begin();
  }

  reloadPrices(factors: readonly number[]): void {
    this.#priceFactors = factors;
  }

  restart(replica: number): void {
    this.#policies[replica] = this.#make(replica);
  }

  close(): void {}

  countReplicasAgainst(): undefined {
    return undefined;
  }
}
