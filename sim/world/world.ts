import type { ProviderFailure } from "../../src/domain/outcome.ts";
import type { Cleanup } from "../../src/domain/ports.ts";
import { type CallPlan, drawsOf, planCall, planRefusal } from "./call-plan.ts";
import { type Condition, Conditions } from "./conditions.ts";
import type { EndpointSpec } from "./endpoint-spec.ts";
import type { EventClock } from "./event-clock.ts";
import { QuotaBucket } from "./quota-bucket.ts";
import type { Regime } from "./regime.ts";
import type { Effect, Scenario } from "./scenario.ts";
import type { SimRequest } from "./workload.ts";

/** Takes what a call produces; `onEnd` is last and once, and not called after `abort`. */
export interface CallListener {
  onFirstToken(): void;
  /** `failure` is undefined for a whole answer. */
  onEnd(failure: ProviderFailure | undefined, outputTokens: number): void;
}

/** How a call ended, in the providers' own books. */
export type CallKind = CallPlan["kind"] | "aborted";

/** One line of the providers' books. */
export interface CallBook {
  readonly request: SimRequest;
  readonly endpoint: number;
  readonly startedMs: number;
  /** How it ended, or was fated to before it was aborted. */
  readonly fate: CallPlan["kind"];
  readonly aborted: boolean;
  readonly costUsd: number;
  readonly outputTokens: number;
}

/** Who watches the world's calls. */
export interface WorldWatcher {
  onCallStart(request: SimRequest, endpoint: number): void;
  onCallEnd(book: CallBook): void;
}

/** A call under way. */
export interface WorldCall {
  abort(): void;
}

/** The world as fleets and the oracle see it. */
export interface WorldView {
  readonly endpoints: readonly EndpointSpec[];
  readonly clock: EventClock;
  conditionOf(endpoint: number, replica: number): Readonly<Condition>;
  admits(endpoint: number, tokens: number): boolean;
  /** What is left of the scarcer quota now, 0 to 1. */
  freeRatio(endpoint: number): number;
  inFlightCount(endpoint: number): number;
  call(endpoint: number, request: SimRequest, listener: CallListener): WorldCall;
}

/** What the world is made of. */
export interface WorldParts {
  readonly clock: EventClock;
  readonly seed: number;
  readonly endpoints: readonly EndpointSpec[];
  readonly scenario: Scenario;
  readonly effects: readonly Effect[];
  readonly regime: Regime;
  readonly watcher: WorldWatcher;
}

/** The providers: quotas shared by all replicas, failures by the scenario, books of every call. */
export class World implements WorldView {
  readonly endpoints: readonly EndpointSpec[];
  readonly clock: EventClock;
  readonly #parts: WorldParts;
  readonly #conditions: Conditions;
  readonly #requestQuotas: readonly QuotaBucket[];
  readonly #tokenQuotas: readonly QuotaBucket[];
  readonly #inFlight: number[];
  readonly #callCounts = new Map<number, number>();

  constructor(parts: WorldParts) {
    const { endpoints, scenario, seed, regime, effects } = parts;
    this.#parts = parts;
    this.clock = parts.clock;
    this.endpoints = endpoints;
    this.#conditions = new Conditions(endpoints, effects, scenario, seed);
    this.#requestQuotas = endpoints.map(
      (each) => new QuotaBucket(each.requestsPerMinute * regime.quotaRatio),
    );
    this.#tokenQuotas = endpoints.map((each) => new QuotaBucket(each.tokensPerMinute * regime.quotaRatio));
    this.#inFlight = endpoints.map(() => 0);
  }

  /** The truth, for the oracle; the object is reused by the next call. */
  conditionOf(endpoint: number, replica: number): Readonly<Condition> {
    return this.#conditions.at(endpoint, this.clock.nowMs(), replica);
  }

  /** Whether the quota would let a call of so many tokens through now. */
  admits(endpoint: number, tokens: number): boolean {
    this.#fillQuotas(endpoint);
    const requests = this.#requestQuotas[endpoint];
    return requests?.admits(1) === true && this.#tokenQuotas[endpoint]?.admits(tokens) === true;
  }

  /** For the oracle. */
  freeRatio(endpoint: number): number {
    this.#fillQuotas(endpoint);
    const requests = this.#requestQuotas[endpoint]?.freeRatio ?? 0;
    return Math.min(requests, this.#tokenQuotas[endpoint]?.freeRatio ?? 0);
  }

  inFlightCount(endpoint: number): number {
    return this.#inFlight[endpoint] ?? 0;
  }

  /** Calls an endpoint for a request. The listener is never called from inside. */
  call(endpoint: number, request: SimRequest, listener: CallListener): WorldCall {
    const spec = this.endpoints[endpoint];
    if (spec === undefined) throw new Error(`there is no endpoint ${endpoint}`);
    this.#parts.watcher.onCallStart(request, endpoint);
    const plan = this.#plan(endpoint, spec, request);
    const { priceFactor } = this.conditionOf(endpoint, request.replica);
    this.#inFlight[endpoint] = this.inFlightCount(endpoint) + 1;
    const startedMs = this.clock.nowMs();
    const isServed = plan.kind === "completed" || plan.kind === "cut" || plan.kind === "hang";
    let over = false;
    let stopTimer: Cleanup = () => {};
    const end = (aborted: boolean) => {
      over = true;
      this.#inFlight[endpoint] = this.inFlightCount(endpoint) - 1;
      const outputTokens = countTokens(plan, aborted ? this.clock.nowMs() - startedMs : plan.endMs);
      const usd = request.promptTokens * spec.inputUsd + outputTokens * spec.outputUsd;
      const costUsd = isServed ? (usd * priceFactor) / 1e6 : 0;
      const book = { request, endpoint, startedMs, fate: plan.kind, aborted, costUsd, outputTokens };
      this.#parts.watcher.onCallEnd(book);
      if (!aborted) listener.onEnd(plan.failure, outputTokens);
    };
    const armEnd = (delayMs: number) => {
      if (Number.isFinite(delayMs)) stopTimer = this.clock.timer(delayMs, () => end(false));
    };
    if (!Number.isFinite(plan.firstTokenMs)) armEnd(plan.endMs);
    else {
      stopTimer = this.clock.timer(plan.firstTokenMs, () => {
        armEnd(plan.endMs - plan.firstTokenMs);
        listener.onFirstToken();
      });
    }
    return {
      abort() {
        if (over) return;
        stopTimer();
        end(true);
      },
    };
  }

  #fillQuotas(endpoint: number): void {
    const { quotaFactor } = this.conditionOf(endpoint, -1);
    const nowMs = this.clock.nowMs();
    this.#requestQuotas[endpoint]?.fill(nowMs, quotaFactor);
    this.#tokenQuotas[endpoint]?.fill(nowMs, quotaFactor);
  }

  #plan(endpoint: number, spec: EndpointSpec, request: SimRequest): CallPlan {
    const { seed } = this.#parts;
    const attempt = this.#callCounts.get(request.index) ?? 0;
    this.#callCounts.set(request.index, attempt + 1);
    const draw = drawsOf(seed, request.index, endpoint, attempt);
    const tokens = request.promptTokens + request.outputTokens;
    if (!this.admits(endpoint, tokens)) {
      const requests = this.#requestQuotas[endpoint]?.waitMs(1) ?? 0;
      const waitMs = Math.max(requests, this.#tokenQuotas[endpoint]?.waitMs(tokens) ?? 0);
      return planRefusal(draw, this.conditionOf(endpoint, request.replica), waitMs);
    }
    this.#requestQuotas[endpoint]?.take(1);
    this.#tokenQuotas[endpoint]?.take(tokens);
    const condition = this.conditionOf(endpoint, request.replica);
    return planCall(draw, spec, condition, request, this.inFlightCount(endpoint) + 1);
  }
}

/** Tokens answered after a time; a broken answer's are those until it broke. */
function countTokens({ firstTokenMs, endMs, outputTokens }: CallPlan, afterMs: number): number {
  if (!(afterMs > firstTokenMs)) return 0;
  if (afterMs >= endMs) return outputTokens;
  return Math.floor((outputTokens * (afterMs - firstTokenMs)) / (endMs - firstTokenMs));
}
