/** What became of attempts, as callers and the sink learn it. */

import type { Deployment } from "./deployment.ts";
import type { FinishReason } from "./event.ts";
import type { Outcome } from "./outcome.ts";
import type { Usage } from "./usage.ts";

/** One ended attempt. */
export interface AttemptRecord {
  /** From 1 within its request. */
  readonly attemptNumber: number;
  readonly deployment: Deployment;
  readonly outcome: Outcome;
  readonly httpStatus?: number;
  readonly providerCode?: string;
  readonly retryAfterMs?: number;
  readonly totalMs: number;
  /** From dispatch to the first delta; undefined when none came. */
  readonly timeToFirstTokenMs?: number;
  readonly usage?: Usage;
}

/** What was tried in vain. */
export interface FailedAttempts {
  readonly attempts: readonly AttemptRecord[];
  readonly usage?: Usage;
}

/** A whole answer's closing facts. */
export interface RouteResult {
  readonly deployment: Deployment;
  readonly responseModel: string;
  readonly finishReason: FinishReason;
  readonly rawFinishReason: string;
  readonly usage?: Usage;
  readonly timeToFirstTokenMs?: number;
  readonly totalMs: number;
  /** In order; the last one answered. */
  readonly attempts: readonly AttemptRecord[];
}
