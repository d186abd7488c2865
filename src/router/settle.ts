/** The one sink of ended attempts and requests. */

import { judgeOutcome } from "../core/failure-policy.ts";
import type { AttemptRecord } from "../domain/attempt.ts";
import type { RouteError } from "../domain/errors.ts";
import type { BreakerPermit } from "../policies/breaker.ts";
import type { DeploymentTable } from "../policies/deployment-table.ts";
import type { RequestTally } from "../policies/request-tally.ts";

/** Learns of what ended, for logs and metrics. Never throws. */
export interface RouteObserver {
  onAttemptEnd(record: AttemptRecord, requestId: string): void;
  /** `error` is undefined for a success. */
  onRequestEnd(requestId: string, attempts: readonly AttemptRecord[], error: RouteError | undefined): void;
}

/** Feeds breaker, limit, tallies and observer, each exactly once per attempt or request. */
export class Settlement {
  readonly #deployments: DeploymentTable;
  readonly #requests: RequestTally;
  readonly #observer: RouteObserver;

  constructor(deployments: DeploymentTable, requests: RequestTally, observer: RouteObserver) {
    this.#deployments = deployments;
    this.#requests = requests;
    this.#observer = observer;
  }

  /** Settles an ended attempt: gives its permit and its place back and counts it. */
  settleAttempt(record: AttemptRecord, permit: BreakerPermit, requestId: string): void {
    permit.settle(judgeOutcome(record.outcome));
    const { limit, tally } = this.#deployments.entry(record.deployment);
    tally.recordEnd(record);
    this.#observer.onAttemptEnd(record, requestId);
    // Last, because it may start the attempt of whoever waits for the place.
    limit.release();
  }

  /** Settles a request that was answered whole. */
  settleSuccess(requestId: string, attempts: readonly AttemptRecord[]): void {
    this.#requests.recordEnd("succeeded", attempts.length);
    this.#observer.onRequestEnd(requestId, attempts, undefined);
  }

  /** Settles a request that ended in an error. */
  settleFailure(requestId: string, attempts: readonly AttemptRecord[], error: RouteError): void {
    this.#requests.recordEnd(error.reason === "CANCELLED" ? "cancelled" : "failed", attempts.length);
    this.#observer.onRequestEnd(requestId, attempts, error);
  }
}
