/** What routes are made with and allowed. */

import type { AttemptBudgetRule } from "../core/attempt-budget.ts";
import type { RetryStrategy } from "../core/backoff.ts";
import type { QualityTable } from "../core/choice/quality-table.ts";
import type { FailureClass } from "../domain/outcome.ts";
import type { Random } from "../domain/ports.ts";
import type { ContextOverflow } from "../domain/request.ts";
import type { GenerationStrategy, TargetName } from "../domain/targets.ts";
import type { AttemptBudget } from "../policies/attempt-budget.ts";
import type { CandidateSource } from "../policies/candidates/candidate-source.ts";
import type { QuotaQueues } from "../policies/quota-queues.ts";
import type { RequestTally } from "../policies/request-tally.ts";
import type { FlightParts } from "./attempt-flight.ts";
import type { Decider } from "./decider.ts";

/** A retry strategy with the classes that it is for. */
export interface ClassedRetryStrategy extends RetryStrategy {
  readonly retryClasses: ReadonlySet<FailureClass>;
}

/** What the walk is allowed. */
export interface RouterOptions {
  /** The most attempts per request, 1 or more, where the target says nothing. */
  readonly maxAttempts: number;
  readonly timeouts: { readonly firstTokenMs: number; readonly idleMs: number; readonly totalMs: number };
  /** The retry strategy of a provider. */
  readonly retryOf: (provider: string) => ClassedRetryStrategy;
  readonly budgets: { readonly extra: AttemptBudgetRule; readonly hedges: AttemptBudgetRule };
  readonly hedging: { readonly enabled: boolean; readonly minDelayMs: number };
  readonly bestOfTwo: { readonly judge: TargetName | undefined; readonly judgeTimeoutMs: number };
  /** Where neither the request nor its target says. */
  readonly strategy: GenerationStrategy;
  /** Where the request does not say; undefined means `fail`. */
  readonly contextOverflow?: ContextOverflow;
}

/** What the walk stands on. */
export interface RouterParts extends FlightParts {
  readonly random: Random;
  readonly source: CandidateSource;
  readonly quotaQueues: QuotaQueues;
  readonly decider: Decider;
  readonly quality: QualityTable;
  readonly requests: RequestTally;
  readonly options: RouterOptions;
}

/** The extra attempts that all routes may make together. */
export interface RouteBudgets {
  readonly extra: AttemptBudget;
  readonly hedges: AttemptBudget;
}
