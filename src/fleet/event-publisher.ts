/** Events for whoever subscribes. */

import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  AlertKind,
  AlertSchema,
  BreakerTransitionSchema,
  PerformanceEventSchema,
} from "../../gen/sluice/v1/events_pb.ts";
import type { AttemptRecord } from "../domain/attempt.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { HealthBus } from "../domain/health-bus.ts";
import type { BreakerState } from "../domain/metrics.ts";
import type { Cleanup, Clock } from "../domain/ports.ts";
import { TokenBucket } from "../lib/token-bucket.ts";
import { encodeDuration, encodeOutcome, encodePurpose, encodeUsage } from "../service/encode-attempt.ts";
import type { AlertKind as AlertName, RaisedAlert } from "./alert-watch.ts";
import { encodeBreakerState } from "./encode-health.ts";
import { alertSubject, breakerSubject, performanceSubject } from "./subjects.ts";

/** Attempts per second that are told of one by one; those on top are counted and left out. */
const MAX_EVENTS_PER_S = 500;

const ALERT_KINDS: Readonly<Record<AlertName, AlertKind>> = {
  success_ratio: AlertKind.SUCCESS_RATIO,
  latency: AlertKind.LATENCY,
  error_ratio: AlertKind.ERROR_RATIO,
  fallback_ratio: AlertKind.FALLBACK_RATIO,
};

/** Publishes attempts, transitions and alerts of this replica. Never waits; what cannot be sent is counted. */
export class EventPublisher {
  readonly #bus: HealthBus;
  readonly #clock: Clock;
  readonly #replicaId: string;
  readonly #budget: TokenBucket;
  readonly #subjects = new Map<string, string>();
  readonly #states = new Map<string, BreakerState>();
  /** The last of each kind and model, where nobody could be reached: what has not been told is told on return. */
  readonly #untoldAlerts = new Map<string, Uint8Array>();
  readonly #stopListening: Cleanup;
  #droppedCount = 0;
  #untoldCount = 0;

  constructor(bus: HealthBus, clock: Clock, replicaId: string) {
    this.#bus = bus;
    this.#clock = clock;
    this.#replicaId = replicaId;
    this.#budget = new TokenBucket(MAX_EVENTS_PER_S, MAX_EVENTS_PER_S, clock.nowMs());
    this.#stopListening = bus.onStateChange((state) => {
      if (state !== "connected") return;
      for (const [key, payload] of this.#untoldAlerts) this.#sendAlert(key, payload);
    });
  }

  /** Events that were left out or could not be sent. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Lets go of the bus. */
  close(): void {
    this.#stopListening();
  }

  /** Tells of an ended attempt. */
  publishAttempt(record: AttemptRecord, requestId: string, traceparent: string | undefined): void {
    if (this.#bus.state !== "connected" || !this.#budget.take(this.#clock.nowMs())) return this.#drop();
    const { deployment, timeToFirstTokenMs, usage, httpStatus } = record;
    const event = create(PerformanceEventSchema, {
      eventTime: timestampFromMs(this.#clock.wallMs()),
      replicaId: this.#replicaId,
      requestId,
      attemptNumber: record.attemptNumber,
      deployment: deployment.id,
      provider: deployment.provider,
      model: deployment.model,
      purpose: encodePurpose(record.purpose),
      outcome: encodeOutcome(record.outcome),
      totalDuration: encodeDuration(record.totalMs),
      droppedCount: this.#untoldCount,
      ...(httpStatus === undefined ? {} : { httpStatus }),
      ...(usage === undefined ? {} : { usage: encodeUsage(usage) }),
      ...(timeToFirstTokenMs === undefined
        ? {}
        : { timeToFirstTokenDuration: encodeDuration(timeToFirstTokenMs) }),
    });
    const sent = this.#bus.publish({
      subject: this.#subjectOf(deployment),
      type: "sluice.v1.PerformanceEvent",
      payload: toBinary(PerformanceEventSchema, event),
      ...(traceparent === undefined ? {} : { traceparent }),
    });
    if (sent) this.#untoldCount = 0;
    else this.#drop();
  }

  /** Tells that a circuit breaker has changed its state. */
  publishTransition({ id, provider }: Deployment, state: BreakerState): void {
    const before = this.#states.get(id) ?? "closed";
    this.#states.set(id, state);
    const event = create(BreakerTransitionSchema, {
      eventTime: timestampFromMs(this.#clock.wallMs()),
      replicaId: this.#replicaId,
      deployment: id,
      provider,
      fromState: encodeBreakerState(before),
      toState: encodeBreakerState(state),
    });
    const payload = toBinary(BreakerTransitionSchema, event);
    const subject = breakerSubject(this.#replicaId, id);
    if (!this.#bus.publish({ subject, type: "sluice.v1.BreakerTransition", payload }))
      this.#droppedCount += 1;
  }

  /** Tells of an alert, later where nobody can be reached now. */
  publishAlert(alert: RaisedAlert): void {
    const event = create(AlertSchema, {
      eventTime: timestampFromMs(this.#clock.wallMs()),
      replicaId: this.#replicaId,
      kind: ALERT_KINDS[alert.kind],
      model: alert.model,
      value: alert.value,
      threshold: alert.threshold,
      sampleCount: alert.sampleCount,
      resolved: alert.resolved,
    });
    this.#sendAlert(`${alert.kind} ${alert.model}`, toBinary(AlertSchema, event));
  }

  #sendAlert(key: string, payload: Uint8Array): void {
    const subject = alertSubject(this.#replicaId);
    const sent = this.#bus.publish({ subject, type: "sluice.v1.Alert", payload });
    if (sent) this.#untoldAlerts.delete(key);
    else this.#untoldAlerts.set(key, payload);
  }

  #drop(): void {
    this.#droppedCount += 1;
    this.#untoldCount += 1;
  }

  #subjectOf({ id, provider }: Deployment): string {
    const known = this.#subjects.get(id);
    if (known !== undefined) return known;
    const subject = performanceSubject(this.#replicaId, provider, id);
    this.#subjects.set(id, subject);
    return subject;
  }
}
