/** The router's own contract: what whoever brings a request must give, and what it gets back. */

import type { RouteResult } from "../domain/attempt.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { RouteError } from "../domain/errors.ts";
import type { GenerationEvent } from "../domain/event.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { GenerationRequest } from "../domain/request.ts";

/** What the router must know of a request beside its content. */
export interface RouteContext {
  readonly requestId: string;
  readonly traceparent: string | undefined;
  /** When the request arrived, on the Clock. */
  readonly arrivedMs: number;
  /** When it must be over, on the Clock. The router watches it itself. */
  readonly deadlineMs: number;
}

/**
 * Takes what a route produces, in this order: `onStarted` once, at the first
 * dispatch; `onSwitched` for each later one, only before the first batch;
 * `onEvents`; and last, exactly once, `onFinished` or `onFailed`. A request that
 * cannot be dispatched has only `onFailed`.
 */
export interface RouteConsumer {
  onStarted(deployment: Deployment): void;
  onSwitched(attemptNumber: number, deployment: Deployment, previous: Outcome): void;
  /** The events of one network read. Returns false to stop reading until `RouteHandle.resume`. */
  onEvents(attemptNumber: number, batch: readonly GenerationEvent[]): boolean;
  onFinished(result: RouteResult): void;
  onFailed(error: RouteError): void;
}

/** A route under way. */
export interface RouteHandle {
  /** Goes on reading after `onEvents` returned false. */
  resume(): void;
  /**
   * Stops everything now: attempts are aborted and settled, and the consumer gets
   * `onFailed` with CANCELLED or DRAINING before this returns. Does nothing after the end.
   */
  cancel(cause: "caller_gone" | "shutdown"): void;
}

/** Sends generations to models. */
export interface Router {
  /**
   * Routes one request. Never throws. The consumer is first called from inside
   * this function only with `onStarted` or `onFailed`.
   */
  route(request: GenerationRequest, context: RouteContext, consumer: RouteConsumer): RouteHandle;
}
