import type { AttemptRecord, RouteResult } from "../../src/domain/attempt.ts";
import type { Model } from "../../src/domain/deployment.ts";
import type { RouteError } from "../../src/domain/errors.ts";
import type { GenerationEvent } from "../../src/domain/event.ts";
import type { GenerationRequest } from "../../src/domain/request.ts";
import { DeploymentTable } from "../../src/policies/deployment-table.ts";
import { RequestTally } from "../../src/policies/request-tally.ts";
import { GenerationRouter, type RouterOptions } from "../../src/router/generation-router.ts";
import type { RouteConsumer, RouteHandle } from "../../src/router/route.ts";
import { Settlement } from "../../src/router/settle.ts";
import { FakeClock } from "./fake-clock.ts";
import { sampleRequest } from "./sample-catalog.ts";
import { ScriptedProvider } from "./scripted-provider.ts";

/** Writes down what a route tells its consumer. */
export class RecordingConsumer implements RouteConsumer {
  readonly log: string[] = [];
  readonly events: GenerationEvent[] = [];
  result: RouteResult | undefined;
  error: RouteError | undefined;
  /** What `onEvents` returns. */
  hasRoom = true;

  onStarted(deployment: { readonly id: string }): void {
    this.log.push(`started ${deployment.id}`);
  }

  onSwitched(attemptNumber: number, deployment: { readonly id: string }, previous: string): void {
    this.log.push(`switched ${attemptNumber} ${deployment.id} after ${previous}`);
  }

  onEvents(attemptNumber: number, batch: readonly GenerationEvent[]): boolean {
    const texts = batch.map((event) => (event.kind === "text_delta" ? event.text : event.kind));
    this.log.push(`events ${attemptNumber} ${texts.join("|")}`);
    this.events.push(...batch);
    return this.hasRoom;
  }

  onFinished(result: RouteResult): void {
    this.log.push(`finished ${result.deployment.id}`);
    this.result = result;
  }

  onFailed(error: RouteError): void {
    this.log.push(`failed ${error.reason}`);
    this.error = error;
  }
}

/** The shipped router over scripted providers and a clock that stands still. */
export class RouterBench {
  readonly clock = new FakeClock();
  readonly providers = new Map<string, ScriptedProvider>();
  readonly deployments: DeploymentTable;
  readonly requests = new RequestTally();
  readonly settled: AttemptRecord[] = [];
  readonly requestEnds: (RouteError | undefined)[] = [];
  readonly router: GenerationRouter;
  #attemptId = 0;

  constructor(models: readonly Model[], changes: Partial<RouterOptions> & BenchChanges = {}) {
    for (const { provider } of models.flatMap((model) => model.deployments)) {
      this.providers.set(provider, new ScriptedProvider(provider));
    }
    this.deployments = new DeploymentTable(models, this.clock, {
      breaker: { failureThreshold: changes.failureThreshold ?? 3, recoveryTimeMs: 10_000 },
      maxWaitingAttempts: changes.maxWaitingAttempts ?? 2,
    });
    const observer = {
      onAttemptEnd: (record: AttemptRecord) => this.settled.push(record),
      onRequestEnd: (_id: string, _attempts: readonly AttemptRecord[], error: RouteError | undefined) =>
        this.requestEnds.push(error),
    };
    this.router = new GenerationRouter({
      clock: this.clock,
      deployments: this.deployments,
      providers: this.providers,
      requests: this.requests,
      settlement: new Settlement(this.deployments, this.requests, observer),
      newAttemptId: () => `attempt-${this.#attemptId++}`,
      options: {
        maxAttempts: changes.maxAttempts ?? 3,
        timeouts: changes.timeouts ?? { firstTokenMs: 5_000, idleMs: 2_000, totalMs: 60_000 },
      },
    });
  }

  /** Routes a request with 30 s to go unless told otherwise. */
  route(
    changes: Partial<GenerationRequest> = {},
    timeoutMs = 30_000,
  ): { readonly consumer: RecordingConsumer; readonly handle: RouteHandle } {
    const consumer = new RecordingConsumer();
    const nowMs = this.clock.nowMs();
    const handle = this.router.route(
      sampleRequest(changes),
      { requestId: "request-1", traceparent: undefined, arrivedMs: nowMs, deadlineMs: nowMs + timeoutMs },
      consumer,
    );
    return { consumer, handle };
  }

  provider(name: string): ScriptedProvider {
    const provider = this.providers.get(name);
    if (provider === undefined) throw new Error(`there is no provider ${name}`);
    return provider;
  }
}

interface BenchChanges {
  readonly failureThreshold?: number;
  readonly maxWaitingAttempts?: number;
}
