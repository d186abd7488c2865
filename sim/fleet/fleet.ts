import type { RequestSink } from "../check/referee.ts";
import type { Regime } from "../world/regime.ts";
import type { NetworkSpec } from "../world/scenario.ts";
import type { SimRequest } from "../world/workload.ts";
import type { WorldView } from "../world/world.ts";

/** All replicas of one way of routing. Each request given to it ends once, told to the referee. */
export interface Fleet {
  /** Takes a request that has just arrived at its replica. */
  submit(request: SimRequest): void;
  /** The operator has reloaded the declared prices: factors by endpoint. */
  reloadPrices(factors: readonly number[]): void;
  /** The replica's process ends, its requests finished, and a new one takes its place that knows nothing. */
  restart(replica: number): void;
  /** No more requests come; timers of its own must go. */
  close(): void;
  /** All is over: throws `InvariantViolation` when something was not given back. */
  checkEnd?(): void;
  /** How many replicas hold the endpoint for failed: open, half-open or suspect. Undefined where that means nothing. */
  countReplicasAgainst(endpoint: number): number | undefined;
  /** Whether all replicas know the same of the time before `untilMs`; undefined where they tell each other nothing. */
  agrees?(untilMs: number): boolean;
  /** Transitions of breakers so far, in all replicas. */
  readonly stateChangeCount: number;
}

/** What a fleet runs in. */
export interface FleetParts {
  readonly world: WorldView;
  readonly regime: Regime;
  readonly network: NetworkSpec;
  readonly seed: number;
  readonly referee: RequestSink;
}
