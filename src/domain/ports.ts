/** Interfaces through which the inside reaches the rim. Implementations live in `lib`, `providers` and `telemetry`. */

import type { Deployment } from "./deployment.ts";
import type { FinishReason, GenerationEvent } from "./event.ts";
import type { ProviderFailure } from "./outcome.ts";
import type { QuotaHeaders } from "./quota.ts";
import type { GenerationRequest } from "./request.ts";

/** Cancels what it was given for. Calling it twice, or after the fact, does nothing. */
export type Cleanup = () => void;

/** Time. Monotonic time has no meaning outside the process; wall time may step. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes backwards; fractions allowed. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch. For people and for the wire, never for arithmetic on durations. */
  wallMs(): number;
  /** Calls `fn` once, `delayMs` from now (0 or more), unless cleaned up before. */
  timer(delayMs: number, fn: () => void): Cleanup;
}

/** Chance, so that a seed can replace it. */
export interface Random {
  /** A number from 0 (inclusive) to 1 (exclusive). */
  next(): number;
}

/** One attempt's request, ready for a provider. */
export interface ProviderCall {
  /** Which deployment of the provider to call. */
  readonly deployment: Deployment;
  readonly request: GenerationRequest;
  /** Unique per attempt; sent upstream where the provider takes one. */
  readonly attemptId: string;
  /** A valid W3C `traceparent`, passed on to the provider, or undefined. */
  readonly traceparent: string | undefined;
}

/** How the provider's side of an attempt ended. Exactly one of these reaches the sink, last. */
export type ProviderEnd =
  | {
      readonly kind: "completed";
      readonly finishReason: FinishReason;
      /** The provider's own word; may be empty. */
      readonly rawFinishReason: string;
      /** The model name the provider reported; may be empty. */
      readonly responseModel: string;
    }
  | { readonly kind: "failed"; readonly failure: ProviderFailure };

/**
 * Takes what one attempt produces. Calls come one after the other and never from
 * inside `Provider.start`: the handle always exists first.
 */
export interface ProviderSink {
  /** Bytes of any kind arrived: headers, comments, deltas. Resets the idle timer and nothing else. */
  onActivity(): void;
  /** What the answer's headers say of the provider's limits; at most once, before any event. */
  onQuota?(headers: QuotaHeaders): void;
  /** The events of one network read, in order; never empty. */
  onEvents(batch: readonly GenerationEvent[]): void;
  /** The end; nothing follows. Not called after `abort`. */
  onEnd(end: ProviderEnd): void;
}

/** A running attempt. */
export interface ProviderAttempt {
  /** Stops reading from the provider until `resume`; at most one more batch may come. */
  pause(): void;
  resume(): void;
  /**
   * Stops the attempt now and closes what it holds upstream. The sink hears
   * nothing more. Does nothing after the end.
   */
  abort(): void;
}

/** Speaks one provider's wire. Failures are values given to the sink; a throw is a bug. */
export interface Provider {
  /** The provider's name in the configuration. */
  readonly name: string;
  /** Whether answers are simulated. */
  readonly simulated: boolean;
  /**
   * Asks which models the provider has, by their upstream names; undefined when it does not
   * say or does not answer within `timeoutMs`. Absent where the provider has no such list.
   */
  listModels?(timeoutMs: number): Promise<readonly string[] | undefined>;
  /** Begins one attempt. */
  start(call: ProviderCall, sink: ProviderSink): ProviderAttempt;
  /** Releases connections; running attempts are cut. */
  close(): Promise<void>;
}

/** The fields a log line may have; anything else does not compile. Never prompts, answers or keys. */
export interface LogFields {
  readonly requestId?: string;
  readonly method?: string;
  readonly protocol?: string;
  readonly peer?: string;
  /** The caller's name, as the operator gave it. */
  readonly caller?: string;
  /** Which credential the caller showed: `key:<id>` or a certificate's name. Never the credential. */
  readonly credential?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly model?: string;
  readonly deployment?: string;
  readonly provider?: string;
  readonly upstreamModel?: string;
  readonly attemptNumber?: number;
  readonly attemptCount?: number;
  readonly outcome?: string;
  readonly httpStatus?: number;
  readonly providerCode?: string;
  readonly breakerState?: string;
  readonly durationMs?: number;
  readonly timeToFirstTokenMs?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly costNanoUsd?: number;
  readonly traceId?: string;
  readonly address?: string;
  readonly signal?: string;
  readonly count?: number;
  readonly value?: number;
  readonly threshold?: number;
  readonly file?: string;
  /** An error of our own making or of the system. Providers' texts never go here. */
  readonly error?: string;
}

/** Structured logging with an allow-list of fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
