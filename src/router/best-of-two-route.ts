/** Best-of-two: two answers, of different providers where possible, and a judge that keeps the better one. */

import { chooseAnswer, type JudgedAnswer, makeJudgeRequest, readVerdict } from "../core/judge.ts";
import { attemptsFailedError, stoppedError } from "../core/route-errors.ts";
import type { AttemptRecord, RouteDecision, RouteResult } from "../domain/attempt.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { RouteError } from "../domain/errors.ts";
import type { GenerationEvent } from "../domain/event.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { Cleanup } from "../domain/ports.ts";
import type { GenerationRequest } from "../domain/request.ts";
import type { LiveSet } from "../policies/candidates/candidate-source.ts";
import type { RequestAccount } from "./request-account.ts";
import type { RouteConsumer, RouteContext, RouteHandle } from "./route.ts";
import type { RouteBudgets, RouterParts } from "./router-parts.ts";
import { SingleRoute } from "./single-route.ts";

/** How one of the two went. */
type Contender =
  | { readonly kind: "running" }
  | { readonly kind: "answered"; readonly events: readonly GenerationEvent[]; readonly result: RouteResult }
  | { readonly kind: "failed"; readonly error: RouteError };

/** Each answer may fall back once: two answers and a judgement are dear enough. */
const MAX_ATTEMPTS_PER_ANSWER = 2;
/** The share of the time between the first answer and the deadline that the second one may still take. */
const PATIENCE_RATIO = 0.5;

export class BestOfTwoRoute implements RouteHandle {
  readonly #parts: RouterParts;
  readonly #budgets: RouteBudgets;
  readonly #live: LiveSet;
  readonly #request: GenerationRequest;
  readonly #context: RouteContext;
  readonly #consumer: RouteConsumer;
  readonly #account: RequestAccount;
  readonly #routes: SingleRoute[] = [];
  readonly #contenders: [Contender, Contender] = [{ kind: "running" }, { kind: "running" }];
  #judge: SingleRoute | undefined;
  #stopPatience: Cleanup = () => {};
  /** Two answers of the same deployment would be one opinion. */
  readonly #tried = new Set<string>();
  /** The route whose first attempt the consumer was told of, and its deployment. */
  #started: { readonly index: 0 | 1; readonly deployment: Deployment } | undefined;
  #ended = false;

  constructor(
    parts: RouterParts,
    budgets: RouteBudgets,
    live: LiveSet,
    request: GenerationRequest,
    context: RouteContext,
    consumer: RouteConsumer,
    account: RequestAccount,
  ) {
    this.#parts = parts;
    this.#budgets = budgets;
    this.#live = live;
    this.#request = request;
    this.#context = context;
    this.#consumer = consumer;
    this.#account = account;
  }

  begin(): void {
    this.#beginAnswer(0, []);
    // The first may have failed at once, and with it the request.
    if (this.#ended) return;
    this.#beginAnswer(1, this.#started === undefined ? [] : [this.#started.deployment]);
  }

  resume(): void {
    // Both answers are collected whole before anything is sent, so nothing is ever paused.
  }

  cancel(cause: "caller_gone" | "shutdown"): void {
    if (this.#ended) return;
    const reason = cause === "shutdown" ? "DRAINING" : "CANCELLED";
    // Before the routes, so that what they say of their end is not taken for the request's.
    this.#ended = true;
    for (const route of [...this.#routes, this.#judge]) route?.cancel(cause);
    this.#fail(stoppedError(reason, this.#listAttempts()));
  }

  #beginAnswer(index: 0 | 1, excluded: readonly Deployment[]): void {
    const route = new SingleRoute(this.#parts, this.#budgets, {
      live: this.#live,
      request: this.#request,
      context: this.#context,
      consumer: this.#collect(index),
      account: this.#account,
      purpose: index === 0 ? "first" : "second_answer",
      excluded,
      tried: this.#tried,
      differs: true,
      hedges: false,
      maxAttempts: Math.min(
        this.#live.set.maxAttempts ?? this.#parts.options.maxAttempts,
        MAX_ATTEMPTS_PER_ANSWER,
      ),
      isPart: true,
    });
    this.#routes[index] = route;
    route.begin();
  }

  #collect(index: 0 | 1): RouteConsumer {
    const events: GenerationEvent[] = [];
    return {
      onStarted: (deployment) => {
        if (this.#started !== undefined) return;
        this.#started = { index, deployment };
        this.#consumer.onStarted(deployment);
      },
      onSwitched() {},
      onEvents(_attemptNumber, batch) {
        events.push(...batch);
        return true;
      },
      onFinished: (result) => this.#onContender(index, { kind: "answered", events, result }),
      onFailed: (error) => this.#onContender(index, { kind: "failed", error }),
    };
  }

  #onContender(index: 0 | 1, contender: Contender): void {
    this.#contenders[index] = contender;
    if (this.#ended) return;
    const [first, second] = this.#contenders;
    if (first.kind === "failed" && second.kind === "failed") return this.#failBoth(first.error, second.error);
    if (first.kind === "answered" && second.kind === "answered") return this.#judgeAnswers();
    const answered = first.kind === "answered" ? 0 : second.kind === "answered" ? 1 : undefined;
    if (answered === undefined) return;
    if (this.#contenders[1 - answered]?.kind === "failed") return this.#finish(answered);
    // A late second answer never costs the first one its place before the deadline.
    const { clock } = this.#parts;
    const remainingMs = Math.max(this.#context.deadlineMs - clock.nowMs(), 0);
    this.#stopPatience = clock.timer(remainingMs * PATIENCE_RATIO, () => this.#finish(answered));
  }

  #judgeAnswers(): void {
    this.#stopPatience();
    const [first, second] = this.#contenders;
    if (first.kind !== "answered" || second.kind !== "answered") return;
    const answers: [JudgedAnswer, JudgedAnswer] = [summarize(first), summarize(second)];
    const swapped = this.#parts.random.next() < 0.5;
    const conclude = (reply: string | undefined) => {
      if (this.#ended) return;
      const verdict = reply === undefined ? undefined : readVerdict(reply, swapped);
      this.#finish(chooseAnswer(answers, verdict, [this.#qualityOf(first), this.#qualityOf(second)]));
    };
    const live = this.#findJudges([first.result.deployment, second.result.deployment]);
    if (live === undefined || hasToolCalls(first) || hasToolCalls(second)) return conclude(undefined);
    let reply = "";
    const { clock, options } = this.#parts;
    const deadlineMs = Math.min(this.#context.deadlineMs, clock.nowMs() + options.bestOfTwo.judgeTimeoutMs);
    this.#judge = new SingleRoute(this.#parts, this.#budgets, {
      live,
      request: makeJudgeRequest(this.#request, answers, swapped),
      context: { ...this.#context, deadlineMs },
      consumer: {
        onStarted() {},
        onSwitched() {},
        onEvents(_attemptNumber, batch) {
          for (const event of batch) if (event.kind === "text_delta") reply += event.text;
          return true;
        },
        onFinished: () => conclude(reply),
        onFailed: () => conclude(undefined),
      },
      account: this.#account,
      purpose: "judge",
      excluded: [],
      hedges: false,
      maxAttempts: 1,
      isPart: true,
    });
    this.#judge.begin();
  }

  /** The configured judge, else the target's judges, else anybody but the two; undefined when there is nobody. */
  #findJudges(contenders: readonly Deployment[]): LiveSet | undefined {
    const { source, options, deployments } = this.#parts;
    if (options.bestOfTwo.judge !== undefined) {
      const resolved = source.resolve({ kind: "named", name: options.bestOfTwo.judge });
      return resolved.kind === "resolved" ? resolved.live : undefined;
    }
    const ids = new Set(contenders.map(({ id }) => id));
    const named = this.#live.set.judges;
    const all = named.length > 0 ? named : deployments.models.flatMap((model) => model.deployments);
    const free = all.filter(({ id }) => !ids.has(id));
    return free.length === 0
      ? undefined
      : source.openSet("judge", free, named.length > 0 ? "fixed" : "adaptive");
  }

  #qualityOf({ result }: Extract<Contender, { kind: "answered" }>): number {
    return this.#parts.deployments.entry(result.deployment).model.tiers.quality;
  }

  #finish(winner: 0 | 1): void {
    const contender = this.#contenders[winner];
    if (this.#ended || contender?.kind !== "answered") return;
    this.#ended = true;
    this.#stopPatience();
    for (const route of [...this.#routes, this.#judge]) route?.supersede();
    const attempts = this.#listAttempts();
    const { result, events } = contender;
    const number = this.#numberOf(winner, result.attemptNumber);
    if (winner !== this.#started?.index || result.attemptNumber !== 1) {
      this.#consumer.onSwitched(number, result.deployment, this.#outcomeBefore(winner));
    }
    if (events.length > 0) this.#consumer.onEvents(number, events);
    this.#account.settleSuccess(attempts);
    this.#consumer.onFinished({
      ...result,
      totalMs: this.#parts.clock.nowMs() - this.#context.arrivedMs,
      attemptNumber: number,
      attempts,
      decisions: this.#listDecisions(),
    });
  }

  /** What became of the attempt that the consumer was told of: a whole answer that lost was superseded. */
  #outcomeBefore(winner: 0 | 1): Outcome {
    const told = this.#routes[this.#started?.index ?? winner]?.attempts;
    const outcome = told?.find(({ attemptNumber }) => attemptNumber === 1)?.outcome;
    return outcome === undefined || outcome === "success" ? "superseded" : outcome;
  }

  /** All attempts together tell why; without any the one that was to answer first: the other had nobody left. */
  #failBoth(first: RouteError, second: RouteError): void {
    const attempts = this.#listAttempts();
    const { target } = this.#request;
    if ([first, second].some(({ reason }) => reason === "DEADLINE_EXCEEDED" && attempts.length > 0)) {
      return this.#fail(stoppedError("DEADLINE_EXCEEDED", attempts));
    }
    if (attempts.length === 0) return this.#fail(first);
    const namedModel = target.kind === "model" ? target.model : undefined;
    this.#fail(attemptsFailedError(attempts, { committed: false, namedModel }));
  }

  /** `error` lists all attempts. */
  #fail(error: RouteError): void {
    this.#ended = true;
    this.#stopPatience();
    this.#account.settleFailure(this.#listAttempts(), error);
    this.#consumer.onFailed(error);
  }

  /** Attempts are numbered anew: those of the first answer, of the second, of the judge. */
  #listAttempts(): readonly AttemptRecord[] {
    return this.#allRoutes().flatMap((route, index) =>
      route.attempts.map((record) => ({
        ...record,
        attemptNumber: this.#numberOf(index, record.attemptNumber),
      })),
    );
  }

  #listDecisions(): readonly RouteDecision[] {
    return this.#allRoutes().flatMap((route, index) =>
      route.decisions.map((decision) => ({
        ...decision,
        // 0 says that nothing could be chosen.
        attemptNumber: decision.attemptNumber && this.#numberOf(index, decision.attemptNumber),
      })),
    );
  }

  #allRoutes(): readonly SingleRoute[] {
    return this.#judge === undefined ? this.#routes : [...this.#routes, this.#judge];
  }

  #numberOf(routeIndex: number, attemptNumber: number): number {
    const before = this.#allRoutes().slice(0, routeIndex);
    return before.reduce((sum, route) => sum + route.attempts.length, 0) + attemptNumber;
  }
}

function summarize({ events, result }: Extract<Contender, { kind: "answered" }>): JudgedAnswer {
  const text = events.map((event) => (event.kind === "text_delta" ? event.text : "")).join("");
  return { text, costNanoUsd: result.usage?.costNanoUsd };
}

/** Tool calls are not prose: no judge can tell which is better without running them. */
function hasToolCalls({ events }: Extract<Contender, { kind: "answered" }>): boolean {
  return events.some((event) => event.kind === "tool_call_delta");
}
