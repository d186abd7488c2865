/** One attempt from its permits to its settlement. */

import type { CandidateTier } from "../core/candidate-set.ts";
import type { Demands } from "../core/choice/demands.ts";
import { findPriceList, priceUsage } from "../core/cost.ts";
import type { Adjustment } from "../domain/adjustment.ts";
import type { AttemptPurpose, AttemptRecord } from "../domain/attempt.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { GenerationEvent } from "../domain/event.ts";
import type { Clock, Provider } from "../domain/ports.ts";
import type { PriceList } from "../domain/price-list.ts";
import type { GenerationRequest } from "../domain/request.ts";
import type { BreakerPermit } from "../policies/breaker.ts";
import type { LiveSet } from "../policies/candidates/candidate-source.ts";
import type { DeploymentTable } from "../policies/deployment-table.ts";
import type { EvidenceTable } from "../policies/evidence/evidence-table.ts";
import type { StartedAttempt } from "../policies/evidence/started-attempt.ts";
import { type AttemptEnd, type AttemptLimits, RunningAttempt } from "./run-attempt.ts";
import type { Settlement } from "./settle.ts";

/** What attempts are made with. */
export interface FlightParts {
  readonly clock: Clock;
  readonly deployments: DeploymentTable;
  readonly evidence: EvidenceTable;
  /** By the provider's name; has every provider that a deployment names. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly settlement: Settlement;
  /** Makes the id of an attempt; never the same twice. */
  readonly newAttemptId: () => string;
}

/** Which attempt to make. */
export interface FlightPlan {
  readonly attemptNumber: number;
  readonly purpose: AttemptPurpose;
  readonly deployment: Deployment;
  readonly tier: CandidateTier;
  readonly tierIndex: number;
  readonly live: LiveSet;
  /** Of the breaker that guards the deployment here. */
  readonly permit: BreakerPermit;
  readonly request: GenerationRequest;
  /** What of the request is not as the caller asked. */
  readonly adjustments: readonly Adjustment[];
  readonly demands: Demands;
  readonly limits: AttemptLimits;
  readonly requestId: string;
  readonly traceparent: string | undefined;
}

/** Takes what an attempt produces; `onEnd` comes last and once, after the attempt was settled. */
export interface FlightListener {
  onBatch(flight: AttemptFlight, batch: readonly GenerationEvent[], hasDelta: boolean): void;
  onEnd(flight: AttemptFlight, record: AttemptRecord, end: AttemptEnd["end"]): void;
}

/**
 * An attempt under way. Whoever makes it has taken a place at the deployment, one at
 * the tier where that has limits, and the breaker's permit; the flight gives all back.
 */
export class AttemptFlight {
  readonly plan: FlightPlan;
  readonly #parts: FlightParts;
  readonly #listener: FlightListener;
  readonly #started: StartedAttempt;
  readonly #attempt: RunningAttempt;
  #hadDelta = false;

  /** Dispatches the attempt. */
  constructor(parts: FlightParts, plan: FlightPlan, listener: FlightListener) {
    this.plan = plan;
    this.#parts = parts;
    this.#listener = listener;
    const { deployment, request, demands } = plan;
    const provider = parts.providers.get(deployment.provider);
    if (provider === undefined) throw new Error(`deployment ${deployment.id} names no configured provider`);
    parts.deployments.entry(deployment).tally.recordStart();
    this.#started = parts.evidence.recordStart(deployment, {
      promptTokens: demands.promptTokens,
      expectedOutputTokens: demands.expectedOutputTokens,
    });
    parts.settlement.noteStart(deployment);
    this.#attempt = new RunningAttempt(
      parts.clock,
      provider,
      { deployment, request, attemptId: parts.newAttemptId(), traceparent: plan.traceparent },
      { ...plan.limits, suspectMs: parts.evidence.suspectAgeMs(deployment, demands.promptTokens) },
      {
        onSilence: (ageMs) => this.#onSilence(ageMs),
        onBatch: (batch) => this.#onBatch(batch),
        onEnd: (end) => this.#onEnd(end),
        onQuota: (headers) => parts.evidence.readHeaders(deployment, headers),
      },
    );
  }

  /** Whether a delta has come. */
  get hadDelta(): boolean {
    return this.#hadDelta;
  }

  pause(): void {
    this.#attempt.pause();
  }

  resume(): void {
    this.#attempt.resume();
  }

  /** Ends the attempt now; it is settled before this returns. Does nothing after the end. */
  abort(outcome: "cancelled" | "superseded"): void {
    this.#attempt.abort(outcome);
  }

  #onSilence(ageMs: number): number {
    const { deployment, live, permit } = this.plan;
    // A breaker of the set's own says nothing about the state of the deployment's.
    const own = live.breakers.has(deployment.id) ? undefined : permit;
    return this.#parts.evidence.recordSilence(deployment, this.#started, ageMs, own);
  }

  #onBatch(batch: readonly GenerationEvent[]): void {
    let hasUsage = false;
    let hasDelta = this.#hadDelta;
    for (const { kind } of batch) {
      if (kind === "usage") hasUsage = true;
      else hasDelta = true;
    }
    this.#hadDelta = hasDelta;
    const priced = hasUsage ? batch.map((event) => this.#price(event)) : batch;
    this.#listener.onBatch(this, priced, hasDelta);
  }

  #price(event: GenerationEvent): GenerationEvent {
    if (event.kind !== "usage") return event;
    return { kind: "usage", usage: priceUsage(event.usage, this.#listPrices()) };
  }

  #listPrices(): PriceList | undefined {
    const { deployment } = this.plan;
    return findPriceList(deployment, this.#parts.deployments.entry(deployment).model);
  }

  #onEnd({ end, outcome, totalMs, timeToFirstTokenMs, usage }: AttemptEnd): void {
    const { plan } = this;
    const failure = end.kind === "failed" ? end.failure : undefined;
    const record: AttemptRecord = {
      attemptNumber: plan.attemptNumber,
      deployment: plan.deployment,
      outcome,
      purpose: plan.purpose,
      tier: plan.tier.name,
      totalMs,
      ...(failure?.httpStatus === undefined ? {} : { httpStatus: failure.httpStatus }),
      ...(failure?.providerCode === undefined ? {} : { providerCode: failure.providerCode }),
      ...(failure?.retryAfterMs === undefined ? {} : { retryAfterMs: failure.retryAfterMs }),
      ...(timeToFirstTokenMs === undefined ? {} : { timeToFirstTokenMs }),
      ...(usage === undefined ? {} : { usage: priceUsage(usage, this.#listPrices()) }),
    };
    this.#parts.settlement.settleAttempt(record, plan, this.#started);
    this.#listener.onEnd(this, record, end);
  }
}
