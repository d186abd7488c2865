/** Asks models for a short answer each, some at a time, and tells what became of it. */

import type { RouteResult } from "../domain/attempt.ts";
import type { RouteError } from "../domain/errors.ts";
import type { Clock } from "../domain/ports.ts";
import type { GenerationRequest } from "../domain/request.ts";
import { collectGeneration } from "./collect-generation.ts";
import type { RouteHandle, Router } from "./route.ts";

/** What to test and how. */
export interface ModelTestPlan {
  /** Names of the catalog, without repetition. */
  readonly models: readonly string[];
  /** 1 or more. */
  readonly maxConcurrentCount: number;
  readonly prompt: string;
  readonly maxOutputTokens: number;
  /** For each model. */
  readonly timeoutMs: number;
  /** When all must be over, on the Clock. */
  readonly deadlineMs: number;
  /** Each request's own id is this one with a number behind it. */
  readonly requestId: string;
  readonly traceparent: string | undefined;
}

/** How one model's test ended. */
export type ModelTestEnd =
  | {
      readonly kind: "available";
      readonly result: RouteResult;
      /** After the first token; undefined when it cannot be told. */
      readonly tokensPerSecond: number | undefined;
    }
  | { readonly kind: "unavailable"; readonly error: RouteError; readonly totalMs: number };

/** Takes what happens. For each model: `onStarted`, then `onEnded`; `onOver` once, last, unless cancelled. */
export interface ModelTestListener {
  onStarted(model: string): void;
  onEnded(model: string, end: ModelTestEnd): void;
  onOver(): void;
}

/**
 * Tests models through the router, as any caller would ask them: breakers, limits, retries and the
 * model's own deployments take part, and each test counts as a request. Returns what cancels the
 * rest; the listener then hears nothing more.
 */
export function testModels(
  router: Router,
  clock: Clock,
  plan: ModelTestPlan,
  listener: ModelTestListener,
): (cause: "caller_gone" | "shutdown") => void {
  const run = new ModelTestRun(router, clock, plan, listener);
  run.fill();
  return (cause) => run.cancel(cause);
}

class ModelTestRun {
  readonly #router: Router;
  readonly #clock: Clock;
  readonly #plan: ModelTestPlan;
  readonly #listener: ModelTestListener;
  readonly #running = new Map<string, RouteHandle | undefined>();
  #nextIndex = 0;
  #isOver = false;
  #isFilling = false;

  constructor(router: Router, clock: Clock, plan: ModelTestPlan, listener: ModelTestListener) {
    this.#router = router;
    this.#clock = clock;
    this.#plan = plan;
    this.#listener = listener;
  }

  cancel(cause: "caller_gone" | "shutdown"): void {
    this.#isOver = true;
    for (const handle of [...this.#running.values()]) handle?.cancel(cause);
    this.#running.clear();
  }

  /** Starts as many as may run. A test that fails at once ends inside this loop, not by calling it again. */
  fill(): void {
    if (this.#isFilling) return;
    this.#isFilling = true;
    const { models, maxConcurrentCount } = this.#plan;
    while (!this.#isOver && this.#running.size < maxConcurrentCount && this.#nextIndex < models.length) {
      const model = models[this.#nextIndex++];
      if (model !== undefined) this.#start(model);
    }
    this.#isFilling = false;
    if (this.#isOver || this.#running.size > 0 || this.#nextIndex < models.length) return;
    this.#isOver = true;
    this.#listener.onOver();
  }

  #start(model: string): void {
    const { requestId, traceparent, deadlineMs, timeoutMs } = this.#plan;
    const arrivedMs = this.#clock.nowMs();
    this.#running.set(model, undefined);
    this.#listener.onStarted(model);
    const context = {
      requestId: `${requestId}-${this.#nextIndex}`,
      traceparent,
      arrivedMs,
      deadlineMs: Math.min(arrivedMs + timeoutMs, deadlineMs),
    };
    const consumer = collectGeneration({
      onAnswer: (_answer, result) =>
        this.#end(model, { kind: "available", result, tokensPerSecond: measurePace(result) }),
      onFailed: (error) =>
        this.#end(model, { kind: "unavailable", error, totalMs: this.#clock.nowMs() - arrivedMs }),
    });
    const handle = this.#router.route(this.#ask(model), context, consumer);
    if (this.#running.has(model)) this.#running.set(model, handle);
  }

  #end(model: string, end: ModelTestEnd): void {
    if (this.#isOver) return;
    this.#running.delete(model);
    this.#listener.onEnded(model, end);
    this.fill();
  }

  #ask(model: string): GenerationRequest {
    const { prompt, maxOutputTokens } = this.#plan;
    return {
      messages: [{ role: "user", parts: [{ kind: "text", text: prompt }] }],
      target: { kind: "model", model },
      taskType: "text_generation",
      priority: "balanced",
      requirements: { vision: false, tools: false, jsonOutput: false, longContext: false },
      sampling: { maxOutputTokens },
      tools: [],
      // Two answers would test two models and a judge.
      strategy: "single",
    };
  }
}

/** No model writes faster: an answer that does was written before it was sent, by a server that does not stream. */
const MAX_TOKENS_PER_SECOND = 10_000;

function measurePace({ usage, totalMs, timeToFirstTokenMs }: RouteResult): number | undefined {
  const tokens = usage?.outputTokens;
  if (tokens === undefined || tokens < 2 || timeToFirstTokenMs === undefined) return undefined;
  const spanMs = totalMs - timeToFirstTokenMs;
  const pace = ((tokens - 1) * 1_000) / spanMs;
  return pace <= MAX_TOKENS_PER_SECOND ? pace : undefined;
}
