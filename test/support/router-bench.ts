import type { Config } from "../../src/config/config.ts";
import type { AttemptRecord, RouteResult } from "../../src/domain/attempt.ts";
import type { Model } from "../../src/domain/deployment.ts";
import type { RouteError } from "../../src/domain/errors.ts";
import type { GenerationEvent } from "../../src/domain/event.ts";
import type { RequestMetrics } from "../../src/domain/metrics.ts";
import type { GenerationRequest } from "../../src/domain/request.ts";
import type { Chain, Targets } from "../../src/domain/targets.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { buildRouting, type Routing, type RoutingInput } from "../../src/main/build-routing.ts";
import type { DeploymentTable } from "../../src/policies/deployment-table.ts";
import type { GenerationRouter } from "../../src/router/generation-router.ts";
import type { RouteConsumer, RouteHandle } from "../../src/router/route.ts";
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
  readonly routing: Routing;
  readonly settled: AttemptRecord[] = [];
  readonly requestEnds: (RouteError | undefined)[] = [];

  constructor(models: readonly Model[], changes: BenchChanges = {}) {
    for (const { provider } of models.flatMap((model) => model.deployments)) {
      this.providers.set(provider, new ScriptedProvider(provider));
    }
    this.routing = buildRouting(sampleRouting(models, changes), {
      clock: this.clock,
      random: seededRandom(changes.seed ?? 1),
      providers: this.providers,
    });
    this.routing.observe({
      onAttemptEnd: (record) => this.settled.push(record),
      onRequestEnd: (_id, _attempts, error) => this.requestEnds.push(error),
    });
  }

  get router(): GenerationRouter {
    return this.routing.router;
  }

  get deployments(): DeploymentTable {
    return this.routing.deployments;
  }

  get requests(): RequestMetrics {
    return this.routing.metrics.snapshot([]).requests;
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

/** What a test may want to differ from the plain: a strict order, three attempts, no hedges, a counting breaker. */
export interface BenchChanges {
  readonly failureThreshold?: number;
  readonly maxWaitingAttempts?: number;
  readonly maxAttempts?: number;
  readonly timeouts?: Config["routing"]["timeouts"];
  readonly seed?: number;
  readonly deploymentLimits?: RoutingInput["deploymentLimits"];
  readonly targets?: Partial<Targets>;
  readonly routing?: Partial<Config["routing"]>;
}

const RETRY: Config["routing"]["retry"] = {
  maxRetries: 0,
  baseDelayMs: 500,
  maxDelayMs: 8_000,
  multiplier: 2,
  jitterRatio: 0,
  retryClasses: new Set(["rate_limit", "server_error", "overloaded", "network", "stream_interrupted"]),
};

/** The parts of a configuration that routing reads. */
export function sampleRouting(models: readonly Model[], changes: BenchChanges): RoutingInput {
  const providers = [
    ...new Set(models.flatMap((model) => model.deployments.map(({ provider }) => provider))),
  ];
  const everything: Chain = {
    name: "in-order",
    description: "",
    roles: [{ role: "all", models: models.map(({ name }) => name) }],
    selection: "fixed",
    strategy: "single",
  };
  return {
    models,
    providers: providers.map((name) => ({ ...SIMULATOR, name })),
    deploymentLimits: changes.deploymentLimits ?? new Map(),
    targets: {
      groups: [],
      pools: [],
      chains: [everything],
      aliases: [],
      defaults: { target: "in-order", strategy: "single", taskType: undefined },
      ...changes.targets,
    },
    routing: {
      maxAttempts: changes.maxAttempts ?? 3,
      timeouts: changes.timeouts ?? { firstTokenMs: 5_000, idleMs: 2_000, totalMs: 60_000 },
      breaker: {
        kind: "counting",
        failureThreshold: changes.failureThreshold ?? 3,
        recoveryTimeMs: 10_000,
        halfOpenRequests: 1,
      },
      maxWaitingAttempts: changes.maxWaitingAttempts ?? 2,
      performanceTracking: true,
      retry: RETRY,
      providerRetry: new Map(),
      budgets: { extra: { ratio: 1, perSecond: 100 }, hedges: { ratio: 1, perSecond: 100 } },
      hedging: { enabled: false, minDelayMs: 800 },
      weights: {
        speed: { quality: 0.2, latency: 0.7, cost: 0.1 },
        quality: { quality: 0.75, latency: 0.15, cost: 0.1 },
        cost: { quality: 0.2, latency: 0.1, cost: 0.7 },
        balanced: { quality: 0.4, latency: 0.3, cost: 0.3 },
      },
      bestOfTwo: { judge: undefined, judgeTimeoutMs: 5_000 },
      ...changes.routing,
    },
  };
}

const SIMULATOR = {
  kind: "simulator",
  timeToFirstTokenMs: 1,
  tokensPerSecond: 100,
  outputTokens: 10,
  failureRatio: 0,
  hangRatio: 0,
  cutRatio: 0,
  seed: undefined,
} as const;
