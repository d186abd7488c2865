import { COARSE_BUCKET_MS } from "../../src/core/evidence/bucket-series.ts";
import type { AttemptRecord } from "../../src/domain/attempt.ts";
import type { Clock, Provider, ProviderCall, Random } from "../../src/domain/ports.ts";
import type { EvidenceExchange } from "../../src/fleet/evidence-exchange.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { buildRouting, type Routing, type RoutingInput } from "../../src/main/build-routing.ts";
import type { RouteConsumer } from "../../src/router/route.ts";
import { InvariantViolation } from "../check/invariant-violation.ts";
import { deriveSeed } from "../world/draws.ts";
import type { SimRequest } from "../world/workload.ts";
import type { FleetParts } from "./fleet.ts";
import type { GossipBus } from "./gossip-bus.ts";
import { makeGenerationRequest } from "./make-generation-request.ts";
import { ReplicaBooks } from "./replica-books.ts";
import { startGossip } from "./replica-gossip.ts";
import { skewClock } from "./skewed-clock.ts";
import type { SluiceOptions } from "./sluice-options.ts";
import { CallRules } from "./sluice-rules.ts";
import { type CallEndListener, WorldProvider } from "./world-provider.ts";

/** Compared of the 24 buckets that are kept: the rest may be gone before two replicas are looked at. */
const COMPARED_BUCKET_COUNT = 12;

/** Keeps the gossip's chance apart from the router's. */
const GOSSIP_SALT = 60;

/** What a replica is made of. */
export interface ReplicaParts {
  readonly index: number;
  readonly fleet: FleetParts;
  readonly config: RoutingInput;
  readonly options: SluiceOptions;
  readonly random: Random;
  readonly clockOffsetMs: number;
  /** How far the clock of the replica of that name is ahead of the world's. */
  readonly skewOf: (key: string) => number;
  /** Larger each time the replica starts. */
  readonly incarnation: number;
  /** Undefined leaves the replica alone. */
  readonly bus: GossipBus | undefined;
}

/** One replica: the shipped router, its gossip, and the rules it is held to. */
export class SluiceReplica {
  readonly #parts: ReplicaParts;
  readonly #clock: Clock;
  readonly #routing: Routing;
  readonly #gossip: EvidenceExchange | undefined;
  readonly #rules: readonly CallRules[];
  readonly #books: ReplicaBooks;
  #stateChangeCount = 0;
  #openingCount = 0;
  #attemptCount = 0;
  #leaveBus: () => void = () => {};

  constructor(parts: ReplicaParts) {
    this.#parts = parts;
    const { fleet, config, random, bus, index, options } = parts;
    this.#clock = skewClock(fleet.world.clock, parts.clockOffsetMs);
    const nowMs = () => this.#clock.nowMs();
    this.#books = new ReplicaBooks(`replica ${index}`, nowMs);
    this.#rules = fleet.world.endpoints.map(
      ({ id }) => new CallRules(`${id} by replica ${index}`, nowMs, options.tripTest ? 2 : 1),
    );
    const ports = { clock: this.#clock, random, providers: this.#buildProviders() };
    const replicaId = bus === undefined ? "" : `replica-${index}`;
    this.#routing = buildRouting(
      config,
      { ...ports, replicaId },
      () => `attempt-${index}-${this.#attemptCount++}`,
    );
    const { evidence, deployments } = this.#routing;
    const all = config.models.flatMap((model) => model.deployments);
    const indexes = new Map(all.map(({ id }, place) => [id, place]));
    const probed = new Set<string>();
    deployments.onBreakerChange(({ id }, state) => {
      this.#stateChangeCount += 1;
      // A probe that fails opens no closed breaker.
      if (state === "open" && !probed.has(id)) this.#openingCount += 1;
      if (state === "half_open") probed.add(id);
      else probed.delete(id);
      this.#rules[indexes.get(id) ?? -1]?.enter(state);
    });
    this.#routing.observe({
      onAttemptEnd: (record, requestId) => {
        this.#rules[indexes.get(record.deployment.id) ?? -1]?.settle();
        this.#books.settle(requestId, record);
        if (isAlarming(record)) this.#gossip?.noteUrgent(record.deployment);
        else this.#gossip?.noteChange(record.deployment);
      },
      onRequestEnd() {},
    });
    if (bus === undefined) return;
    const member = bus.join(index);
    this.#leaveBus = () => void member.close();
    const gossip = startGossip({
      replicaId,
      incarnation: parts.incarnation,
      random: seededRandom(deriveSeed(deriveSeed(fleet.seed, index), GOSSIP_SALT)),
      clock: this.#clock,
      bus: member,
      evidence,
      deployments: all,
      options,
    });
    this.#gossip = gossip;
  }

  get stateChangeCount(): number {
    return this.#stateChangeCount;
  }

  /** How often a closed breaker has opened. */
  get openingCount(): number {
    return this.#openingCount;
  }

  /** Whether it takes requests: it has been told what the others know, or has waited for it. */
  get isReady(): boolean {
    return this.#gossip?.hasJoined ?? true;
  }

  /** Routes a request that has arrived now. */
  submit(request: SimRequest): void {
    const { referee, regime } = this.#parts.fleet;
    const requestId = String(request.index);
    this.#books.accept(requestId, request);
    const nowMs = this.#clock.nowMs();
    const finish = (succeeded: boolean) => {
      this.#books.close(requestId);
      referee.finish(request, succeeded);
    };
    let deliveringAttempt = 0;
    const consumer: RouteConsumer = {
      onStarted() {},
      onSwitched() {
        if (deliveringAttempt > 0)
          throw new InvariantViolation("I3", `request ${requestId} switches after a delta`);
      },
      onEvents(attempt) {
        if (deliveringAttempt === 0) referee.noteFirstToken(request);
        else if (deliveringAttempt !== attempt) {
          throw new InvariantViolation("I3", `request ${requestId} gets two attempts' tokens`);
        }
        deliveringAttempt = attempt;
        return true;
      },
      onFinished: () => finish(true),
      onFailed: () => finish(false),
    };
    const context = {
      requestId,
      traceparent: requestId,
      arrivedMs: nowMs,
      deadlineMs: nowMs + regime.timeoutMs,
    };
    this.#routing.router.route(makeGenerationRequest(request), context, consumer);
  }

  /** Whether it holds the endpoint for failed, by its own or the others' evidence. */
  isAgainst(endpoint: number): boolean {
    const deployment = this.#parts.config.models[endpoint]?.deployments[0];
    if (deployment === undefined) return false;
    const { suspect, breakerState } = this.#routing.evidence.view(deployment, this.#clock.nowMs());
    return suspect || breakerState !== "closed";
  }

  /**
   * The counters of all replicas as this one knows them, its own among them, of an endpoint and of the time
   * before `untilMs`, a little short of the two minutes that are kept: equal for equal knowledge.
   */
  describeCounters(endpoint: number, untilMs: number): string {
    const deployment = this.#parts.config.models[endpoint]?.deployments[0];
    if (deployment === undefined) return "";
    const { evidence } = this.#routing;
    const { index, incarnation, skewOf } = this.#parts;
    const own = { key: `replica-${index}/${incarnation}`, series: evidence.report(deployment).series };
    const lines = [own, ...evidence.listKnownSeries(deployment)].flatMap(({ key, series }) => {
      // Buckets are the sender's, by its clock.
      const lastIndex = Math.floor((untilMs + skewOf(key)) / COARSE_BUCKET_MS);
      const compared = series.coarse.filter(
        ({ index: bucket, values }) =>
          bucket < lastIndex &&
          bucket >= lastIndex - COMPARED_BUCKET_COUNT &&
          values.some((value) => value > 0),
      );
      return compared.map(({ index: bucket, values }) => `${key} ${bucket} ${values.join()}`);
    });
    return lines.toSorted().join(";");
  }

  /** The traffic is over. Throws `InvariantViolation`. */
  stopGossip(): void {
    for (const rules of this.#rules) rules.checkAlive();
    this.#gossip?.close();
    this.#leaveBus();
  }

  /** All requests have ended. Throws `InvariantViolation` when something is not given back. */
  checkEnd(): void {
    for (const rules of this.#rules) rules.checkSettled();
    const { evidence, deployments } = this.#routing;
    const name = `replica ${this.#parts.index}`;
    if (this.#books.openCount > 0)
      throw new InvariantViolation("I6", `${name} keeps ${this.#books.openCount} requests`);
    for (const deployment of this.#parts.config.models.flatMap((model) => model.deployments)) {
      const { limit } = deployments.entry(deployment);
      const { inFlightCount } = evidence.report(deployment);
      if (inFlightCount + limit.inUseCount + limit.waitingCount > 0)
        throw new InvariantViolation("I6", `${name} counts calls of ${deployment.id} that are over`);
    }
  }

  #buildProviders(): ReadonlyMap<string, Provider> {
    const { world } = this.#parts.fleet;
    const find = ({ traceparent = "" }: ProviderCall) => this.#books.find(traceparent);
    const onCall = (endpoint: number, request: SimRequest, end: CallEndListener) => {
      const ended = this.#rules[endpoint]?.begin();
      const deployment = this.#parts.config.models[endpoint]?.deployments[0];
      if (deployment === undefined) return;
      const requestId = String(request.index);
      this.#books.begin(requestId);
      end.fn = (retryAfterMs, outputTokens) => {
        ended?.(retryAfterMs, outputTokens !== undefined);
        this.#books.end(requestId, deployment.id, outputTokens);
      };
      const { breakerState, takesTurns } = this.#routing.evidence.view(deployment, this.#clock.nowMs());
      if (breakerState === "half_open" || takesTurns) this.#parts.fleet.referee.noteProbe(request);
      this.#gossip?.noteChange(deployment);
    };
    const names = new Set(world.endpoints.map(({ provider }) => provider));
    return new Map([...names].map((name) => [name, new WorldProvider(name, world, find, onCall)]));
  }
}

/** What the others should know at once. */
function isAlarming({ outcome }: AttemptRecord): boolean {
  return outcome !== "success" && outcome !== "cancelled";
}
