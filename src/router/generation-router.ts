/** The walk of a request: plan, attempts with fallback before commit, one end. */

import { priceUsage } from "../core/cost.ts";
import { findNextCandidates, limitFirstTokenMs } from "../core/next-candidate.ts";
import { planRequest } from "../core/plan.ts";
import {
  attemptsFailedError,
  concurrencyLimitError,
  noDeploymentAvailableError,
  noModelFitsError,
  stoppedError,
} from "../core/route-errors.ts";
import type { AttemptRecord } from "../domain/attempt.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { RouteError } from "../domain/errors.ts";
import type { GenerationEvent } from "../domain/event.ts";
import type { ProviderFailure } from "../domain/outcome.ts";
import type { Cleanup, Clock, Provider } from "../domain/ports.ts";
import type { GenerationRequest } from "../domain/request.ts";
import { unknownModelError } from "../domain/unknown-model.ts";
import type { BreakerPermit } from "../policies/breaker.ts";
import type { DeploymentEntry, DeploymentTable } from "../policies/deployment-table.ts";
import type { RequestTally } from "../policies/request-tally.ts";
import type { RouteConsumer, RouteContext, RouteHandle, Router } from "./route.ts";
import { type AttemptEnd, RunningAttempt } from "./run-attempt.ts";
import type { Settlement } from "./settle.ts";

/** What the walk is allowed. */
export interface RouterOptions {
  /** The most attempts per request, 1 or more. */
  readonly maxAttempts: number;
  readonly timeouts: { readonly firstTokenMs: number; readonly idleMs: number; readonly totalMs: number };
}

/** What the walk stands on. */
export interface RouterParts {
  readonly clock: Clock;
  readonly deployments: DeploymentTable;
  /** By the provider's name; has every provider that a deployment names. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly requests: RequestTally;
  readonly settlement: Settlement;
  /** Makes the id of an attempt; never the same twice. */
  readonly newAttemptId: () => string;
  readonly options: RouterOptions;
}

/** Routes requests over the deployments of one catalog. */
export class GenerationRouter implements Router {
  readonly #parts: RouterParts;

  constructor(parts: RouterParts) {
    this.#parts = parts;
  }

  route(request: GenerationRequest, context: RouteContext, consumer: RouteConsumer): RouteHandle {
    const route = new RunningRoute(this.#parts, request, context, consumer);
    route.begin();
    return route;
  }
}

/** How long to wait when every candidate is being probed by somebody else. */
const PROBE_RETRY_MS = 1_000;

class RunningRoute implements RouteHandle {
  readonly #parts: RouterParts;
  readonly #request: GenerationRequest;
  readonly #context: RouteContext;
  readonly #consumer: RouteConsumer;
  readonly #attempts: AttemptRecord[] = [];
  #candidates: readonly Deployment[] = [];
  #running: RunningAttempt | undefined;
  #stopWaiting: Cleanup = () => {};
  #stopDeadlineTimer: Cleanup = () => {};
  #committed = false;
  #ended = false;

  constructor(
    parts: RouterParts,
    request: GenerationRequest,
    context: RouteContext,
    consumer: RouteConsumer,
  ) {
    this.#parts = parts;
    this.#request = request;
    this.#context = context;
    this.#consumer = consumer;
  }

  begin(): void {
    const { clock, deployments, requests } = this.#parts;
    requests.recordStart();
    const plan = planRequest(this.#request, deployments.models);
    if (plan.kind === "unknown_model") return this.#fail(unknownModelError(plan.model));
    if (plan.kind === "none_fits") return this.#fail(noModelFitsError(plan.removed));
    const remainingMs = this.#context.deadlineMs - clock.nowMs();
    if (remainingMs <= 0) return this.#fail(stoppedError("DEADLINE_EXCEEDED", []));
    this.#candidates = plan.deployments;
    this.#stopDeadlineTimer = clock.timer(remainingMs, () => this.#stop("DEADLINE_EXCEEDED"));
    this.#dispatchFirstAvailable(this.#candidates);
  }

  resume(): void {
    this.#running?.resume();
  }

  cancel(cause: "caller_gone" | "shutdown"): void {
    this.#stop(cause === "shutdown" ? "DRAINING" : "CANCELLED");
  }

  #stop(reason: "CANCELLED" | "DEADLINE_EXCEEDED" | "DRAINING"): void {
    if (this.#ended) return;
    this.#ended = true;
    // Settles the attempt as cancelled, so that it is in the list of attempts below.
    this.#running?.abort();
    this.#end(stoppedError(reason, this.#attempts));
  }

  /** Takes the first candidate that has a permit and a place; else waits for a place; else fails. */
  #dispatchFirstAvailable(candidates: readonly Deployment[]): void {
    const full: DeploymentEntry[] = [];
    for (const candidate of candidates) {
      const entry = this.#parts.deployments.entry(candidate);
      if (!entry.breaker.available) continue;
      if (entry.limit.tryAcquire()) return this.#dispatch(entry, candidates);
      full.push(entry);
    }
    if (full.length > 0) return this.#waitForPlace(full, candidates);
    if (this.#attempts.length > 0) return this.#failAttempts();
    this.#fail(noDeploymentAvailableError(this.#findProbeDelayMs(candidates)));
  }

  #waitForPlace(full: readonly DeploymentEntry[], candidates: readonly Deployment[]): void {
    const cleanups: Cleanup[] = [];
    this.#stopWaiting = () => {
      for (const cleanup of cleanups) cleanup();
    };
    for (const entry of full) {
      const cleanup = entry.limit.wait(() => {
        this.#stopWaiting();
        if (entry.breaker.available) return this.#dispatch(entry, candidates);
        entry.limit.release();
        this.#dispatchFirstAvailable(candidates);
      });
      if (cleanup !== undefined) cleanups.push(cleanup);
    }
    if (cleanups.length > 0) return;
    if (this.#attempts.length > 0) return this.#failAttempts();
    this.#fail(concurrencyLimitError());
  }

  /** Begins an attempt at a deployment whose place is taken and whose breaker is available. */
  #dispatch(entry: DeploymentEntry, candidates: readonly Deployment[]): void {
    const { clock, providers, newAttemptId } = this.#parts;
    const { deployment } = entry;
    const permit = entry.breaker.acquire();
    const provider = providers.get(deployment.provider);
    if (permit === undefined || provider === undefined) {
      throw new Error(`deployment ${deployment.id} was dispatched without a permit or a provider`);
    }
    entry.tally.recordStart();
    const attemptNumber = this.#attempts.length + 1;
    this.#running = new RunningAttempt(
      clock,
      provider,
      {
        deployment,
        request: this.#request,
        attemptId: newAttemptId(),
        traceparent: this.#context.traceparent,
      },
      this.#limitAttempt(candidates.length),
      {
        onBatch: (batch) => this.#forward(attemptNumber, entry, batch),
        onEnd: (end) => this.#onAttemptEnd(attemptNumber, entry, permit, end),
      },
    );
    const previous = this.#attempts.at(-1);
    if (previous === undefined) this.#consumer.onStarted(deployment);
    else this.#consumer.onSwitched(attemptNumber, deployment, previous.outcome);
  }

  #limitAttempt(candidateCount: number) {
    const { clock, options } = this.#parts;
    const remainingMs = this.#context.deadlineMs - clock.nowMs();
    const possibleCount = Math.min(options.maxAttempts - this.#attempts.length, candidateCount);
    return {
      firstTokenMs: limitFirstTokenMs(options.timeouts.firstTokenMs, remainingMs, possibleCount),
      idleMs: options.timeouts.idleMs,
      totalMs: options.timeouts.totalMs,
    };
  }

  /** The first delta commits. A usage that comes before it is not worth a commit: the last one counts. */
  #forward(attemptNumber: number, entry: DeploymentEntry, batch: readonly GenerationEvent[]): void {
    let hasUsage = false;
    let hasDelta = this.#committed;
    for (const { kind } of batch) {
      if (kind === "usage") hasUsage = true;
      else hasDelta = true;
    }
    if (!hasDelta) return;
    this.#committed = true;
    const priced = hasUsage ? batch.map((event) => priceEvent(event, entry)) : batch;
    if (!this.#consumer.onEvents(attemptNumber, priced)) this.#running?.pause();
  }

  #onAttemptEnd(attemptNumber: number, entry: DeploymentEntry, permit: BreakerPermit, end: AttemptEnd): void {
    const failure = end.end.kind === "failed" ? end.end.failure : undefined;
    const record = recordAttempt(attemptNumber, entry, end, failure);
    this.#attempts.push(record);
    this.#running = undefined;
    this.#parts.settlement.settleAttempt(record, permit, this.#context.requestId);
    if (this.#ended) return;
    if (end.end.kind === "completed") return this.#succeed(end.end, record);
    if (failure === undefined || this.#committed) return this.#failAttempts();
    if (this.#attempts.length >= this.#parts.options.maxAttempts) return this.#failAttempts();
    const next = findNextCandidates(
      this.#candidates,
      this.#attempts,
      entry.deployment,
      failure.class,
      (deployment) => this.#parts.deployments.entry(deployment).model,
    );
    if (next.length === 0) return this.#failAttempts();
    this.#dispatchFirstAvailable(next);
  }

  #succeed(completed: Completed, last: AttemptRecord): void {
    const { clock, settlement } = this.#parts;
    const { arrivedMs, requestId } = this.#context;
    const totalMs = clock.nowMs() - arrivedMs;
    this.#ended = true;
    this.#stopDeadlineTimer();
    settlement.settleSuccess(requestId, this.#attempts);
    this.#consumer.onFinished({
      deployment: last.deployment,
      responseModel: completed.responseModel,
      finishReason: completed.finishReason,
      rawFinishReason: completed.rawFinishReason,
      totalMs,
      attempts: this.#attempts,
      ...(last.usage === undefined ? {} : { usage: last.usage }),
      ...(last.timeToFirstTokenMs === undefined
        ? {}
        : { timeToFirstTokenMs: totalMs - last.totalMs + last.timeToFirstTokenMs }),
    });
  }

  #failAttempts(): void {
    const { target } = this.#request;
    const namedModel = target.kind === "model" ? target.model : undefined;
    this.#fail(attemptsFailedError(this.#attempts, { committed: this.#committed, namedModel }));
  }

  #fail(error: RouteError): void {
    this.#ended = true;
    this.#end(error);
  }

  #end(error: RouteError): void {
    this.#stopDeadlineTimer();
    this.#stopWaiting();
    this.#parts.settlement.settleFailure(this.#context.requestId, this.#attempts, error);
    this.#consumer.onFailed(error);
  }

  #findProbeDelayMs(candidates: readonly Deployment[]): number {
    const delays = candidates.map((candidate) => {
      const { breaker } = this.#parts.deployments.entry(candidate);
      return breaker.state === "open" ? breaker.nextProbeDelayMs : PROBE_RETRY_MS;
    });
    return Math.min(...delays);
  }
}

type Completed = Extract<AttemptEnd["end"], { kind: "completed" }>;

function priceEvent(event: GenerationEvent, { model }: DeploymentEntry): GenerationEvent {
  return event.kind === "usage" ? { kind: "usage", usage: priceUsage(event.usage, model.price) } : event;
}

function recordAttempt(
  attemptNumber: number,
  { deployment, model }: DeploymentEntry,
  end: AttemptEnd,
  failure: ProviderFailure | undefined,
): AttemptRecord {
  return {
    attemptNumber,
    deployment,
    outcome: failure === undefined ? "success" : failure.class,
    totalMs: end.totalMs,
    ...(failure?.httpStatus === undefined ? {} : { httpStatus: failure.httpStatus }),
    ...(failure?.providerCode === undefined ? {} : { providerCode: failure.providerCode }),
    ...(failure?.retryAfterMs === undefined ? {} : { retryAfterMs: failure.retryAfterMs }),
    ...(end.timeToFirstTokenMs === undefined ? {} : { timeToFirstTokenMs: end.timeToFirstTokenMs }),
    ...(end.usage === undefined ? {} : { usage: priceUsage(end.usage, model.price) }),
  };
}
