/** What is remembered of calls to providers, as values. Never what was asked or answered. */

import type { AttemptRecord } from "./attempt.ts";
import type { Deployment } from "./deployment.ts";
import type { Usage } from "./usage.ts";

/** One ended call to a provider. */
export interface CallRecord {
  /** Milliseconds since the Unix epoch. */
  readonly endedWallMs: number;
  readonly requestId: string;
  readonly attempt: AttemptRecord;
}

/** What one deployment was used for on one day. */
export interface UsageOfDay {
  /** The day of the calls' ends, as `2026-11-21`, in UTC. */
  readonly day: string;
  readonly deployment: Deployment;
  readonly callCount: number;
  readonly succeededCount: number;
  readonly failedCount: number;
  /** Given up by the caller or by Sluice. */
  readonly abandonedCount: number;
  /** Sums of what is known. */
  readonly usage: Usage;
  /** Of all succeeded calls together. */
  readonly succeededMs: number;
}

/** Which calls are wanted; what is undefined does not matter. */
export interface CallQuery {
  readonly model?: string | undefined;
  readonly requestId?: string | undefined;
  readonly failedOnly: boolean;
  /** 1 or more. */
  readonly limit: number;
}

/** Which days are wanted, both ends included; what is undefined does not matter. */
export interface UsageQuery {
  readonly firstDay?: string | undefined;
  readonly lastDay?: string | undefined;
  readonly model?: string | undefined;
}

/** The most calls that are kept. */
export const MAX_KEPT_CALLS = 2_000;

/** Where calls are remembered. */
export interface CallHistory {
  /** Since when, in milliseconds since the Unix epoch. */
  readonly sinceWallMs: number;
  /** The newest first. */
  listCalls(query: CallQuery): readonly CallRecord[];
  /** The earliest day first, then by the deployments' ids. */
  reportUsage(query: UsageQuery): readonly UsageOfDay[];
}
