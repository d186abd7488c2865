/** The one sink of ended attempts and requests. */

import type { CandidateTier } from "../core/candidate-set.ts";
import { judgeOutcome } from "../core/failure-policy.ts";
import type { AttemptRecord } from "../domain/attempt.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { RouteError } from "../domain/errors.ts";
import type { Clock } from "../domain/ports.ts";
import type { BreakerPermit } from "../policies/breaker.ts";
import type { LiveSet } from "../policies/candidates/candidate-source.ts";
import type { DeploymentTable } from "../policies/deployment-table.ts";
import type { EvidenceTable } from "../policies/evidence/evidence-table.ts";
import type { StartedAttempt } from "../policies/evidence/started-attempt.ts";
import type { RequestTally } from "../policies/request-tally.ts";
import type { RotationKeeper } from "../policies/rotation/rotation-keeper.ts";
import type { ScopeStatistics } from "../policies/scope-statistics.ts";

/** Learns of what ended, for logs and metrics. Never throws. */
export interface RouteObserver {
  /** An attempt has begun. */
  onAttemptStart?(deployment: Deployment): void;
  /** `traceparent`: the W3C trace context of its request, where there is one. */
  onAttemptEnd(record: AttemptRecord, requestId: string, traceparent: string | undefined): void;
  /** `error` is undefined for a success. */
  onRequestEnd(requestId: string, attempts: readonly AttemptRecord[], error: RouteError | undefined): void;
}

/** What ended attempts are told to. */
export interface SettlementParts {
  readonly clock: Clock;
  readonly deployments: DeploymentTable;
  readonly evidence: EvidenceTable;
  readonly requests: RequestTally;
  readonly rotation: RotationKeeper;
  readonly scopes: ScopeStatistics;
}

/** Where an attempt was made. */
export interface SettledPlan {
  readonly requestId: string;
  readonly traceparent: string | undefined;
  readonly live: LiveSet;
  readonly tier: CandidateTier;
  readonly tierIndex: number;
  readonly permit: BreakerPermit;
}

/** Feeds evidence, breaker, limits, tallies and observer, each exactly once per attempt or request. */
export class Settlement {
  readonly #parts: SettlementParts;
  #observer: RouteObserver = { onAttemptEnd() {}, onRequestEnd() {} };

  constructor(parts: SettlementParts) {
    this.#parts = parts;
  }

  /** Sets who learns of what ended. */
  observe(observer: RouteObserver): void {
    this.#observer = observer;
  }

  /** Notes an attempt that begins, for orders that ask who was used least lately. */
  noteDispatch(deployment: Deployment): void {
    this.#parts.rotation.noteUse(deployment.id);
  }

  /** An attempt has begun and is counted as under way. */
  noteStart(deployment: Deployment): void {
    this.#observer.onAttemptStart?.(deployment);
  }

  /** Settles an ended attempt: gives its permit and its places back, learns from it and counts it. */
  settleAttempt(record: AttemptRecord, plan: SettledPlan, started: StartedAttempt): void {
    const { deployments, evidence, rotation } = this.#parts;
    const { deployment } = record;
    const { limit, tally } = deployments.entry(deployment);
    if (plan.live.breakers.has(deployment.id)) {
      // The set guards it with a breaker of its own; the deployment's own hears of it as evidence.
      const verdict = record.outcome === "rate_limit" ? "limited" : judgeOutcome(record.outcome);
      plan.permit.settle(verdict, {
        hung: record.outcome === "timeout",
        ...(record.retryAfterMs === undefined ? {} : { retryAfterMs: record.retryAfterMs }),
      });
      evidence.recordEnd(started, record);
    } else {
      evidence.recordEnd(started, record, plan.permit);
    }
    tally.recordEnd(record);
    if (record.outcome === "success") rotation.noteAnswer(deployment.id, record.totalMs);
    this.#observer.onAttemptEnd(record, plan.requestId, plan.traceparent);
    // Last, because they may start the attempt of whoever waits for the place; the
    // deployment's first, because whoever gets the tier's place needs that one too.
    limit.release();
    plan.live.limits[plan.tierIndex]?.release();
  }

  /** A request goes on from one deployment to another. */
  noteFallback(failed: AttemptRecord, next: { readonly id: string }, scopes: readonly string[]): void {
    const { clock, scopes: statistics } = this.#parts;
    statistics.recordFallback(scopes, {
      from: failed.deployment.id,
      to: next.id,
      outcome: failed.outcome,
      atWallMs: clock.wallMs(),
    });
  }

  /** Settles a request that was answered whole. `scopes`: what it went through. */
  settleSuccess(requestId: string, attempts: readonly AttemptRecord[], scopes: readonly string[]): void {
    const { requests, scopes: statistics } = this.#parts;
    requests.recordEnd("succeeded", countFallbacks(attempts));
    statistics.recordRequest(scopes, true);
    this.#observer.onRequestEnd(requestId, attempts, undefined);
  }

  /** Settles a request that ended in an error. */
  settleFailure(
    requestId: string,
    attempts: readonly AttemptRecord[],
    scopes: readonly string[],
    error: RouteError,
  ): void {
    const { requests, scopes: statistics } = this.#parts;
    const cancelled = error.reason === "CANCELLED";
    requests.recordEnd(cancelled ? "cancelled" : "failed", 0);
    // Who left says nothing about what it went through.
    if (!cancelled) statistics.recordRequest(scopes, false);
    this.#observer.onRequestEnd(requestId, attempts, error);
  }
}

function countFallbacks(attempts: readonly AttemptRecord[]): number {
  return attempts.filter(({ purpose }) => purpose === "fallback").length;
}
