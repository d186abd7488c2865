/** Builds what replicas tell each other, and what operators are told. */

import { classifyEvidence } from "../core/evidence/outcome-door.ts";
import type { AlertRules } from "../domain/alert-rules.ts";
import type { AttemptRecord } from "../domain/attempt.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { RouteError } from "../domain/errors.ts";
import type { BusCounts, HealthBus } from "../domain/health-bus.ts";
import type { BreakerState, MetricsSource } from "../domain/metrics.ts";
import type { Cleanup, Clock, Logger, Random } from "../domain/ports.ts";
import { AlertWatch, type RaisedAlert } from "../fleet/alert-watch.ts";
import { describeSharing } from "../fleet/describe-sharing.ts";
import { EventPublisher } from "../fleet/event-publisher.ts";
import { EvidenceExchange } from "../fleet/evidence-exchange.ts";
import { FleetMetricsSource } from "../fleet/fleet-metrics.ts";
import type { RouteObserver } from "../router/settle.ts";
import type { Routing } from "./build-routing.ts";

/** How a replica reaches the others. */
export interface Sharing {
  readonly bus: HealthBus;
  /** Left out where no network is in between. */
  readonly readBusCounts?: () => BusCounts;
  /** No other replica has it; 1 to 128 characters. */
  readonly replicaId: string;
}

/** What a fleet needs from outside. */
export interface FleetPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly version: string;
}

/** What replicas tell each other, running. */
export interface Fleet {
  /** Resolves when the others have told what they know; at once without others, after 1 s at most. */
  readonly joined: Promise<void>;
  /** Metrics that know of the other replicas. */
  readonly metrics: MetricsSource;
  readonly observer: RouteObserver;
  onBreakerChange(deployment: Deployment, state: BreakerState): void;
  /** What is heard of the others, as a line for people; undefined without others. */
  describe(): string | undefined;
  /** Tells the others that this replica is about to stop. */
  announceDraining(): void;
  /** Stops sharing and closes the bus. */
  close(): Promise<void>;
}

/** Starts sharing; undefined `sharing` leaves the replica alone, which then costs nothing per request. */
export function buildFleet(
  routing: Routing,
  sharing: Sharing | undefined,
  alerts: AlertRules | undefined,
  ports: FleetPorts,
): Fleet {
  const { clock, logger } = ports;
  const publisher = sharing && new EventPublisher(sharing.bus, clock, sharing.replicaId);
  const exchange = sharing && startExchange(routing, sharing, ports);
  const watch =
    alerts &&
    new AlertWatch(alerts, routing.modelNames, clock, (alert) => {
      logAlert(logger, alert);
      publisher?.publishAlert(alert);
    });
  const stopWatching = sharing && logReachability(sharing.bus, logger);
  const metrics = new FleetMetricsSource(
    routing.metrics,
    sharing &&
      exchange && {
        bus: sharing.bus,
        readBusCounts: sharing.readBusCounts,
        evidence: routing.evidence,
        exchange,
        countDroppedEvents: () => publisher?.droppedCount ?? 0,
      },
  );
  return {
    joined: exchange?.joined ?? Promise.resolve(),
    metrics,
    observer: {
      onAttemptStart: (deployment: Deployment) => exchange?.noteChange(deployment),
      onAttemptEnd(record: AttemptRecord, requestId: string, traceparent: string | undefined) {
        if (isUrgent(record)) exchange?.noteUrgent(record.deployment);
        else exchange?.noteChange(record.deployment);
        publisher?.publishAttempt(record, requestId, traceparent);
        watch?.recordAttempt(record);
      },
      onRequestEnd(_: string, attempts: readonly AttemptRecord[], error: RouteError | undefined) {
        watch?.recordRequest(attempts, error);
      },
    },
    onBreakerChange(deployment, state) {
      exchange?.noteUrgent(deployment);
      publisher?.publishTransition(deployment, state);
    },
    describe: () =>
      sharing &&
      exchange &&
      describeSharing(
        sharing.bus.state,
        exchange.inbox.listPeers(),
        routing.evidence.listLiveReplicas().length,
      ),
    announceDraining: () => exchange?.announceDraining(),
    async close() {
      watch?.close();
      stopWatching?.();
      publisher?.close();
      exchange?.close();
      await sharing?.bus.close();
    },
  };
}

function startExchange(routing: Routing, { bus, replicaId }: Sharing, ports: FleetPorts): EvidenceExchange {
  const { clock, random, logger, version } = ports;
  return new EvidenceExchange({
    clock,
    random,
    bus,
    replicaId,
    version,
    evidence: routing.evidence,
    deployments: routing.deployments.models.flatMap((model) => model.deployments),
    // The wall clock grows from one start to the next, unless somebody sets it back.
    incarnation: Math.floor(clock.wallMs()),
    onSameId: () =>
      logger.error("another replica has the same id: give each its own", { reason: "SAME_REPLICA_ID" }),
  });
}

/** One line when the others can be reached no more, and one when they can again; a bus may change its reason at each attempt. */
function logReachability(bus: HealthBus, logger: Logger): Cleanup {
  let told: boolean | undefined;
  return bus.onStateChange((state) => {
    const isReachable = state === "connected";
    if (state === "closed" || isReachable === told) return;
    told = isReachable;
    if (isReachable) logger.info("the other replicas can be reached");
    else
      logger.warn("the other replicas cannot be reached: this one acts on what it knows", { reason: state });
  });
}

/** What the others should know at once. A caller's error is news to nobody, and there may be many of them. */
function isUrgent({ outcome }: AttemptRecord): boolean {
  const kind = classifyEvidence(outcome, 0, 0, true);
  return kind === "hard" || kind === "weak" || kind === "limited" || kind === "credential";
}

function logAlert(
  logger: Logger,
  { kind, model, value, threshold, sampleCount, resolved }: RaisedAlert,
): void {
  const fields = { reason: kind, count: sampleCount, value, threshold, ...(model === "" ? {} : { model }) };
  if (resolved) logger.info("alert resolved", fields);
  else logger.warn("alert", fields);
}
