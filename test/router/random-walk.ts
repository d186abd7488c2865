/** Random requests, answers, failures, waits and cancellations over the shipped router, as steps of a script. */

import fc from "fast-check";
import type { AttemptRecord } from "../../src/domain/attempt.ts";
import { FAILURE_CLASSES, type FailureClass } from "../../src/domain/outcome.ts";
import type { ProviderAttempt } from "../../src/domain/ports.ts";
import type { Priority } from "../../src/domain/request.ts";
import type { GenerationStrategy } from "../../src/domain/targets.ts";
import type { RouteHandle } from "../../src/router/route.ts";
import { type BenchChanges, RecordingConsumer, RouterBench } from "../support/router-bench.ts";
import { sampleRequest } from "../support/sample-catalog.ts";
import { type ScriptedAttempt, ScriptedProvider } from "../support/scripted-provider.ts";
import { TARGET_NAMES, WALK_MODELS, WALK_TARGETS } from "./walk-targets.ts";

/** One thing that happens. Numbers named `of…` pick among what there is, modulo. */
export type Step =
  | {
      readonly kind: "route";
      readonly target: (typeof TARGET_NAMES)[number];
      readonly priority: Priority;
      readonly strategy: GenerationStrategy | undefined;
      readonly explain: boolean;
      readonly timeoutMs: number;
    }
  | { readonly kind: "text" | "usage" | "activity" | "complete"; readonly ofAttempt: number }
  | {
      readonly kind: "fail";
      readonly ofAttempt: number;
      readonly failureClass: FailureClass;
      readonly retryAfterMs: number | undefined;
    }
  | { readonly kind: "advance"; readonly ms: number }
  | {
      readonly kind: "cancel" | "resume";
      readonly ofRequest: number;
      readonly cause: "caller_gone" | "shutdown";
    }
  | { readonly kind: "stall"; readonly ofRequest: number };

/** The share of the requests that pays for an extra attempt. */
export const EXTRA_RATIO = 0.2;

/** How old may be what one deployment's evidence knows of another's. */
const VIEW_AGE_MS = 100;

const ofAttempt = fc.nat(1_000);
const ofRequest = fc.nat(1_000);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("route" as const),
      // Limits are where requests meet.
      target: fc.constantFrom(...TARGET_NAMES, "a", "a", "group", "group", "group"),
      priority: fc.constantFrom<Priority>("balanced", "speed", "cost"),
      strategy: fc.constantFrom<(GenerationStrategy | undefined)[]>(undefined, undefined, "best_of_two"),
      explain: fc.boolean(),
      timeoutMs: fc.constantFrom(0, 900, 5_000, 30_000, 30_000, 30_000),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom("text" as const, "usage" as const, "activity" as const, "complete" as const),
      ofAttempt,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("fail" as const),
      ofAttempt,
      failureClass: fc.constantFrom(
        ...FAILURE_CLASSES,
        ...(["rate_limit", "server_error", "network", "overloaded"] as const),
      ),
      retryAfterMs: fc.constantFrom(undefined, undefined, 0, 5_000),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("advance" as const),
      ms: fc.constantFrom(1, 100, 500, 1_000, 2_000, 7_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom("cancel" as const, "resume" as const),
      ofRequest,
      cause: fc.constantFrom("caller_gone" as const, "shutdown" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("stall" as const), ofRequest }) },
);

/** Scripts with the configuration they run under. */
export const walks = fc.record({
  seed: fc.nat(10_000),
  maxAttempts: fc.integer({ min: 1, max: 4 }),
  maxRetries: fc.integer({ min: 0, max: 2 }),
  maxWaitingAttempts: fc.integer({ min: 0, max: 3 }),
  adaptive: fc.boolean(),
  hedges: fc.boolean(),
  extraPerSecond: fc.constantFrom(0.5, 100),
  steps: fc.array(step, { minLength: 1, maxLength: 60, size: "max" }),
});

export type Walk = typeof walks extends fc.Arbitrary<infer T> ? T : never;

/** Notes what a route says after its end, which must be nothing. */
class WatchfulConsumer extends RecordingConsumer {
  readonly late: string[] = [];

  get isOver(): boolean {
    return this.result !== undefined || this.error !== undefined;
  }

  override onStarted(deployment: { readonly id: string }): void {
    this.#watch("started");
    super.onStarted(deployment);
  }

  override onSwitched(...args: Parameters<RecordingConsumer["onSwitched"]>): void {
    this.#watch("switched");
    super.onSwitched(...args);
  }

  override onEvents(...args: Parameters<RecordingConsumer["onEvents"]>): boolean {
    this.#watch("events");
    return super.onEvents(...args);
  }

  override onFinished(...args: Parameters<RecordingConsumer["onFinished"]>): void {
    this.#watch("finished");
    super.onFinished(...args);
  }

  override onFailed(...args: Parameters<RecordingConsumer["onFailed"]>): void {
    this.#watch("failed");
    super.onFailed(...args);
  }

  #watch(what: string): void {
    if (this.isOver) this.late.push(what);
  }
}

/** Tells of each attempt when it begins. */
class WatchedProvider extends ScriptedProvider {
  readonly #onStart: (attempt: ScriptedAttempt) => void;

  constructor(name: string, onStart: (attempt: ScriptedAttempt) => void) {
    super(name);
    this.#onStart = onStart;
  }

  override start(...args: Parameters<ScriptedProvider["start"]>): ProviderAttempt {
    const attempt = super.start(...args);
    this.#onStart(this.last);
    return attempt;
  }
}

/** A request of a walk. */
export interface WalkedRequest {
  readonly consumer: WatchfulConsumer;
  readonly handle: RouteHandle;
  readonly isDouble: boolean;
  readonly target: string;
}

/** An attempt as its provider saw it. */
export interface WalkedAttempt {
  readonly attempt: ScriptedAttempt;
  readonly startedMs: number;
  /** Whether the script has let it end. */
  over: boolean;
}

/** An ended attempt with its place in time. */
export interface SettledAttempt {
  readonly record: AttemptRecord;
  readonly startedMs: number;
  readonly endedMs: number;
}

/** Runs a script. */
export class RandomWalk {
  readonly bench: RouterBench;
  readonly requests: WalkedRequest[] = [];
  readonly attempts: WalkedAttempt[] = [];
  readonly settled: SettledAttempt[] = [];
  requestEndCount = 0;
  /** Attempts that were made before the provider allowed them. */
  readonly tooEarly: string[] = [];
  /** By deployment: when its provider wants to be asked again. */
  readonly #waitUntilMs = new Map<string, number>();
  /** By provider: from when on everybody knows that the credential was refused. Walks are shorter than its 15 minutes. */
  readonly #refusedFromMs = new Map<string, number>();

  constructor(walk: Walk) {
    this.bench = new RouterBench(WALK_MODELS, benchChanges(walk));
    for (const name of this.bench.providers.keys()) {
      this.bench.providers.set(name, new WatchedProvider(name, (attempt) => this.#note(attempt)));
    }
    this.bench.routing.observe({
      onAttemptEnd: (record) => {
        const endedMs = this.bench.clock.nowMs();
        this.settled.push({ record, startedMs: endedMs - record.totalMs, endedMs });
      },
      onRequestEnd: () => {
        this.requestEndCount += 1;
      },
    });
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const each of steps) await this.#play(each);
  }

  /** Goes on until every deadline has passed. */
  async end(): Promise<void> {
    await this.bench.clock.advance(40_000);
  }

  async #play(each: Step): Promise<void> {
    switch (each.kind) {
      case "route":
        return this.#route(each);
      case "advance":
        return this.bench.clock.advance(each.ms);
      case "cancel":
        return this.#pickRequest(each.ofRequest)?.handle.cancel(each.cause);
      case "resume": {
        const request = this.#pickRequest(each.ofRequest);
        if (request !== undefined) request.consumer.hasRoom = true;
        return request?.handle.resume();
      }
      case "stall": {
        const request = this.#pickRequest(each.ofRequest);
        if (request !== undefined) request.consumer.hasRoom = false;
        return;
      }
      default:
        return this.#answer(each);
    }
  }

  #route({ target, priority, strategy, explain, timeoutMs }: Extract<Step, { kind: "route" }>): void {
    const consumer = new WatchfulConsumer();
    const nowMs = this.bench.clock.nowMs();
    const request = sampleRequest({
      target: { kind: "named", name: target },
      priority,
      explain,
      ...(strategy === undefined ? {} : { strategy }),
    });
    const handle = this.bench.router.route(
      request,
      {
        requestId: `request-${this.requests.length}`,
        traceparent: undefined,
        arrivedMs: nowMs,
        deadlineMs: nowMs + timeoutMs,
      },
      consumer,
    );
    this.requests.push({ consumer, handle, isDouble: strategy === "best_of_two", target });
  }

  #answer(each: Extract<Step, { ofAttempt: number }>): void {
    const open = this.attempts.filter(({ over }) => !over);
    const picked = open[each.ofAttempt % open.length];
    if (picked === undefined) return;
    const { attempt } = picked;
    switch (each.kind) {
      case "text":
        return attempt.text("word");
      case "usage":
        return attempt.events({ kind: "usage", usage: { inputTokens: 1, outputTokens: 1 } });
      case "activity":
        return attempt.activity();
      case "complete":
        picked.over = true;
        // An answer proves that its provider's credential works again.
        if (!attempt.aborted) this.#refusedFromMs.delete(attempt.call.deployment.provider);
        return attempt.complete();
      case "fail": {
        picked.over = true;
        if (!attempt.aborted) this.#noteWait(attempt, each);
        const { failureClass, retryAfterMs } = each;
        return attempt.fail(failureClass, retryAfterMs === undefined ? {} : { retryAfterMs });
      }
    }
  }

  #noteWait(
    { call }: ScriptedAttempt,
    { failureClass, retryAfterMs }: Extract<Step, { kind: "fail" }>,
  ): void {
    const nowMs = this.bench.clock.nowMs();
    const { id, provider } = call.deployment;
    if (failureClass === "rate_limit" && retryAfterMs !== undefined) {
      this.#waitUntilMs.set(id, Math.max(this.#waitUntilMs.get(id) ?? 0, nowMs + retryAfterMs));
    }
    if (failureClass === "auth" || failureClass === "quota_exhausted") {
      this.#refusedFromMs.set(provider, nowMs + VIEW_AGE_MS);
    }
  }

  #note(attempt: ScriptedAttempt): void {
    const nowMs = this.bench.clock.nowMs();
    const { id, provider } = attempt.call.deployment;
    const untilMs = this.#waitUntilMs.get(id) ?? 0;
    if (nowMs < untilMs) this.tooEarly.push(`${id} at ${nowMs} instead of ${untilMs}`);
    const refusedMs = this.#refusedFromMs.get(provider) ?? Number.POSITIVE_INFINITY;
    if (nowMs > refusedMs) this.tooEarly.push(`${id} at ${nowMs}, refused since ${refusedMs}`);
    this.attempts.push({ attempt, startedMs: nowMs, over: false });
  }

  #pickRequest(ofRequest: number): WalkedRequest | undefined {
    return this.requests[ofRequest % this.requests.length];
  }
}

function benchChanges(walk: Walk): BenchChanges {
  return {
    seed: walk.seed,
    maxAttempts: walk.maxAttempts,
    maxWaitingAttempts: walk.maxWaitingAttempts,
    targets: WALK_TARGETS,
    routing: {
      breaker: walk.adaptive
        ? { kind: "adaptive" }
        : { kind: "counting", failureThreshold: 2, recoveryTimeMs: 2_000, halfOpenRequests: 1 },
      hedging: { enabled: walk.hedges, minDelayMs: 800 },
      budgets: {
        extra: { ratio: EXTRA_RATIO, perSecond: walk.extraPerSecond },
        hedges: { ratio: 1, perSecond: walk.extraPerSecond },
      },
      retry: {
        maxRetries: walk.maxRetries,
        baseDelayMs: 400,
        maxDelayMs: 3_000,
        multiplier: 2,
        jitterRatio: 0.5,
        retryClasses: new Set(["rate_limit", "server_error", "overloaded", "network", "timeout"]),
      },
    },
  };
}
