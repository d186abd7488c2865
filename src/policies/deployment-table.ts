import type { Deployment, Model } from "../domain/deployment.ts";
import type { BreakerState, DeploymentMetrics, ModelMetrics } from "../domain/metrics.ts";
import type { Cleanup, Clock, Random } from "../domain/ports.ts";
import { AttemptTally } from "./attempt-tally.ts";
import { Breaker, type BreakerOptions } from "./breaker.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";

/** What the router keeps about one deployment. */
export interface DeploymentEntry {
  readonly deployment: Deployment;
  readonly model: Model;
  readonly breaker: Breaker;
  readonly limit: ConcurrencyLimit;
  readonly tally: AttemptTally;
}

export interface DeploymentTableOptions {
  readonly breaker: BreakerOptions;
  /** The most attempts that wait for one deployment's concurrency limit. */
  readonly maxWaitingAttempts: number;
  /** Spreads the breakers' open times; the machine's chance where absent. */
  readonly random?: Random;
}

/** What is kept of a deployment elsewhere, for reports. */
export interface DeploymentFacts extends Pick<DeploymentMetrics, "healthScore" | "evidence"> {
  /** Attempts that wait for room in its limits. */
  readonly quotaWaitingCount: number;
}

/** Called after a deployment's breaker has changed its state. */
export type BreakerListener = (deployment: Deployment, state: BreakerState) => void;

/** The state of every deployment of the catalog. */
export class DeploymentTable {
  readonly #models: readonly Model[];
  readonly #entries = new Map<string, DeploymentEntry>();
  readonly #listeners = new Set<BreakerListener>();

  constructor(models: readonly Model[], clock: Clock, options: DeploymentTableOptions) {
    this.#models = models;
    for (const model of models) {
      for (const deployment of model.deployments) {
        const onChange = (state: BreakerState) => {
          for (const listener of this.#listeners) listener(deployment, state);
        };
        this.#entries.set(deployment.id, {
          deployment,
          model,
          breaker: new Breaker(clock, options.breaker, onChange, options.random),
          limit: new ConcurrencyLimit(
            deployment.concurrencyLimit,
            options.maxWaitingAttempts,
            deployment.minIntervalMs === undefined
              ? undefined
              : { clock, minIntervalMs: deployment.minIntervalMs },
          ),
          tally: new AttemptTally(),
        });
      }
    }
  }

  /** The catalog this table was made for. */
  get models(): readonly Model[] {
    return this.#models;
  }

  /** What is kept about a deployment of the catalog; asking for any other is a bug. */
  entry(deployment: Deployment): DeploymentEntry {
    const entry = this.#entries.get(deployment.id);
    if (entry === undefined) throw new Error(`deployment ${deployment.id} is not in the table`);
    return entry;
  }

  /** Calls `listener` after each transition of a breaker. */
  onBreakerChange(listener: BreakerListener): Cleanup {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The metrics of the named models, or of all when `names` is empty, in the order of the catalog. */
  snapshot(
    names: readonly string[],
    factsOf: (deployment: Deployment) => DeploymentFacts,
  ): readonly ModelMetrics[] {
    const wanted = new Set(names);
    return this.#models
      .filter(({ name }) => wanted.size === 0 || wanted.has(name))
      .map((model) => this.#sum(model, factsOf));
  }

  /** Releases what the breakers and limits hold. */
  close(): void {
    for (const { breaker, limit } of this.#entries.values()) {
      breaker.close();
      limit.close();
    }
  }

  #sum(model: Model, factsOf: (deployment: Deployment) => DeploymentFacts): ModelMetrics {
    const total = new AttemptTally();
    const deployments = model.deployments.map((deployment): DeploymentMetrics => {
      const { breaker, limit, tally } = this.entry(deployment);
      total.add(tally);
      const breakerState = breaker.state;
      const { quotaWaitingCount, ...facts } = factsOf(deployment);
      return {
        deployment,
        breakerState,
        consecutiveFailureCount: breaker.consecutiveFailureCount,
        nextProbeDelayMs: breakerState === "open" ? breaker.nextProbeDelayMs : undefined,
        attempts: tally.summarize(),
        waitingCount: limit.waitingCount + quotaWaitingCount,
        ...facts,
      };
    });
    return { model, total: total.summarize(), deployments };
  }
}
