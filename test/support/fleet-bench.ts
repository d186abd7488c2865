import { GossipBus } from "../../sim/fleet/gossip-bus.ts";
import { EventClock } from "../../sim/world/event-clock.ts";
import type { NetworkSpec } from "../../sim/world/scenario.ts";
import type { AttemptRecord } from "../../src/domain/attempt.ts";
import type { Deployment } from "../../src/domain/deployment.ts";
import type { HealthBus } from "../../src/domain/health-bus.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import { EvidenceExchange } from "../../src/fleet/evidence-exchange.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { Breaker, type BreakerOptions } from "../../src/policies/breaker.ts";
import type { DeploymentView } from "../../src/policies/evidence/deployment-view.ts";
import type { EvidenceOptions } from "../../src/policies/evidence/evidence-options.ts";
import { EvidenceTable } from "../../src/policies/evidence/evidence-table.ts";
import { sampleModel } from "./sample-catalog.ts";

/** A network on which nothing is lost and everything takes 5 ms. */
export const GOOD_NETWORK: NetworkSpec = {
  minDelayMs: 5,
  maxDelayMs: 5,
  lossRatio: 0,
  duplicateRatio: 0,
  skewMs: 0,
  partitionFromMs: 0,
  partitionUntilMs: 0,
  healsMs: 0,
};

const SIZE = { promptTokens: 1_000, expectedOutputTokens: 100 };

/** What a fleet is made of. */
export interface FleetOptions {
  readonly replicaCount: number;
  /** One deployment each. */
  readonly providers: readonly string[];
  readonly network?: Partial<NetworkSpec>;
  readonly seed?: number;
  readonly evidence?: Partial<EvidenceOptions>;
  /** The adaptive one when left out. */
  readonly breaker?: BreakerOptions;
  /** Replicas that somebody else plays: they get a bus and nothing else. */
  readonly played?: readonly number[];
}

/** One replica: evidence and breakers of its own, and the shipped exchange. */
export class FleetReplica {
  readonly table: EvidenceTable;
  readonly exchange: EvidenceExchange;
  readonly breakers: readonly Breaker[];
  readonly deployments: readonly Deployment[];
  readonly #clock: EventClock;

  constructor(index: number, clock: EventClock, bus: HealthBus, options: FleetOptions, incarnation = 1) {
    this.#clock = clock;
    const random = seededRandom((options.seed ?? 1) * 1_000 + index);
    const models = options.providers.map((provider, place) =>
      sampleModel(`m${place}`, { providers: [provider] }),
    );
    const replicaId = `replica-${index}`;
    const subjects = models.flatMap((model) =>
      model.deployments.map((deployment) => {
        const onChange = () => this.exchange?.noteUrgent(deployment);
        const breaker = new Breaker(clock, options.breaker ?? { kind: "adaptive" }, onChange, random);
        return { model, deployment, breaker };
      }),
    );
    this.breakers = subjects.map(({ breaker }) => breaker);
    this.deployments = subjects.map(({ deployment }) => deployment);
    this.table = new EvidenceTable(subjects, clock, random, {
      replicaId,
      performanceTracking: true,
      ...options.evidence,
    });
    this.exchange = new EvidenceExchange({
      clock,
      random,
      bus,
      evidence: this.table,
      deployments: this.deployments,
      replicaId,
      incarnation,
      version: "1.2.3",
    });
  }

  view(place = 0): DeploymentView {
    return this.table.view(this.#deployment(place), this.#clock.nowMs());
  }

  /** Begins an attempt; what it returns ends it. */
  start(place = 0): (outcome: Outcome, more?: Partial<AttemptRecord>) => void {
    const deployment = this.#deployment(place);
    const permit = this.breakers[place]?.acquire();
    const started = this.table.recordStart(deployment, SIZE);
    this.exchange.noteChange(deployment);
    return (outcome, more = {}) => {
      const record: AttemptRecord = {
        ...{ attemptNumber: 1, deployment, outcome, totalMs: 100, purpose: "first", tier: "auto" },
        ...(outcome === "success" ? { timeToFirstTokenMs: 520, totalMs: 1_000 } : {}),
        ...more,
      };
      this.table.recordEnd(started, record, permit);
      if (outcome === "success") this.exchange.noteChange(deployment);
      else this.exchange.noteUrgent(deployment);
    };
  }

  /** Whether a choice would take the deployment now. */
  isUsable(place = 0): boolean {
    const nowMs = this.#clock.nowMs();
    const view = this.view(place);
    if (view.breaker === "open" || view.cooldownUntilMs > nowMs || view.credentialDisabledUntilMs > nowMs) {
      return false;
    }
    return view.permitAvailable && view.headroomRatio > 0.02;
  }

  #deployment(place: number): Deployment {
    const deployment = this.deployments[place];
    if (deployment === undefined) throw new Error(`there is no deployment ${place}`);
    return deployment;
  }
}

/** Replicas of the shipped exchange in virtual time. */
export class FleetBench {
  readonly clock = new EventClock();
  readonly bus: GossipBus;
  readonly buses: HealthBus[] = [];
  readonly replicas: FleetReplica[] = [];
  readonly #options: FleetOptions;

  constructor(options: FleetOptions) {
    this.#options = options;
    const network = { ...GOOD_NETWORK, ...options.network };
    this.bus = new GossipBus(this.clock, network, options.seed ?? 1, options.replicaCount);
    // Times of 0 stand for never in some places, so nothing begins there.
    this.clock.runUntil(1_000);
    for (let index = 0; index < options.replicaCount; index++) {
      this.buses.push(this.bus.join(index));
      if (options.played?.includes(index) !== true) this.#start(index, 1);
    }
  }

  replica(index: number): FleetReplica {
    const replica = this.replicas.find((_, place) => place === index);
    if (replica === undefined) throw new Error(`there is no replica ${index}`);
    return replica;
  }

  advance(ms: number): void {
    this.clock.runUntil(this.clock.nowMs() + ms);
  }

  /** The replica's process ends without a word, and a new one begins. */
  async restart(index: number): Promise<FleetReplica> {
    this.replica(index).exchange.close();
    await this.buses[index]?.close();
    this.buses[index] = this.bus.join(index);
    return this.#start(index, 2);
  }

  close(): void {
    for (const replica of this.replicas) replica?.exchange.close();
  }

  #start(index: number, incarnation: number): FleetReplica {
    const bus = this.buses[index];
    if (bus === undefined) throw new Error(`there is no bus ${index}`);
    const replica = new FleetReplica(index, this.clock, bus, this.#options, incarnation);
    this.replicas[index] = replica;
    return replica;
  }
}
