/** What became of attempts, as callers and the sink learn it. */

import type { Adjustment } from "./adjustment.ts";
import type { Deployment, TaskType } from "./deployment.ts";
import type { FinishReason } from "./event.ts";
import type { Outcome } from "./outcome.ts";
import type { Usage } from "./usage.ts";

/** Why an attempt was made; see `AttemptPurpose` in generation.proto. */
export type AttemptPurpose =
  | "first"
  | "retry"
  | "fallback"
  | "hedge"
  | "second_answer"
  | "judge"
  | "health_check";

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
  readonly purpose: AttemptPurpose;
  /** The part of the target it was made for. */
  readonly tier: string;
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
  /** The attempt that answered. */
  readonly attemptNumber: number;
  /** In the order in which they ended. */
  readonly attempts: readonly AttemptRecord[];
  /** How each attempt was decided; empty unless the request asked for it. */
  readonly decisions: readonly RouteDecision[];
  /** What the answering attempt did not carry as asked. */
  readonly adjustments: readonly Adjustment[];
}

/** What speaks for a candidate; see `CandidateScore` in generation.proto. */
export interface CandidateScore {
  readonly score: number;
  readonly successRatio: number;
  readonly quality: number;
  readonly expectedMs: number;
  /** Undefined when the model has no price. */
  readonly expectedCostNanoUsd: number | undefined;
  readonly headroomRatio: number;
}

/** How one candidate was judged. */
export interface CandidateJudgement {
  readonly deployment: Deployment;
  readonly tier: string;
  readonly chosen: boolean;
  /** The filter that removed it; undefined when it was eligible. */
  readonly removedBy: string | undefined;
  /** Undefined when it was removed. */
  readonly score: CandidateScore | undefined;
}

/** How the candidates of one attempt were judged. */
export interface RouteDecision {
  /** 0 when nothing could be chosen. */
  readonly attemptNumber: number;
  readonly target: string;
  /** As told or guessed. */
  readonly taskType: TaskType | undefined;
  /** The chosen one first, the removed ones last. */
  readonly candidates: readonly CandidateJudgement[];
  /** Demands that were given up, in order. */
  readonly relaxed: readonly string[];
}
