/** How a simulated server behaves: the words of its configuration. */

import type { FailureClass } from "./outcome.ts";

/** How a simulated quantity varies: log-normal, as latencies of real servers nearly are. Units are the holder's. */
export interface Distribution {
  /** Half of the draws are below it; above 0, or 0 with a `p95` of 0. */
  readonly median: number;
  /** 95 of 100 draws are below it; at least `median`. The same as `median` means always exactly that. */
  readonly p95: number;
}

/** What a simulated server can do wrong: an error of a class, or a hang, a cut or a reset of the connection. */
export const FAULT_KINDS = [
  "auth",
  "invalid_request",
  "context_length_exceeded",
  "content_filter",
  "rate_limit",
  "quota_exhausted",
  "model_unavailable",
  "server_error",
  "overloaded",
  "hang",
  "cut",
  "reset",
] as const satisfies readonly (FailureClass | "hang" | "cut" | "reset")[];

/** `hang` never answers, `cut` breaks off in the middle, `reset` closes the connection without an answer. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Faults during a span of time. */
export interface ScheduledFault {
  /** From the start of the simulation. */
  readonly fromMs: number;
  /** The first moment at which it is over; may be Infinity. */
  readonly toMs: number;
  readonly kind: FaultKind;
  /** The share of requests it hits, 0 to 1. */
  readonly ratio: number;
  /** The only model it hits; undefined hits all. */
  readonly model: string | undefined;
}

/** Shares of requests that fail at any time, by kind; 0 to 1, together at most 1. */
export type FaultRatios = Readonly<Partial<Record<FaultKind, number>>>;

/** The limits of each model; undefined means none. */
export interface QuotaLimits {
  /** 1 or more. */
  readonly requestsPerMinute: number | undefined;
  /** Of prompts and answers together, 1 or more. */
  readonly tokensPerMinute: number | undefined;
}

/** What makes a simulated provider behave like a busy one. */
export interface SimulatedBehaviour {
  /** 95th percentiles; undefined where the figure itself does not vary. */
  readonly timeToFirstTokenP95Ms: number | undefined;
  readonly tokensPerSecondP95: number | undefined;
  readonly outputTokensP95: number | undefined;
  readonly quota: QuotaLimits;
  readonly schedule: readonly ScheduledFault[];
}
