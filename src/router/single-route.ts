/** The walk of one answer: choose, attempt, and before the first delta retry, fall back or hedge; one end. */

import type { CandidateView } from "../core/choice/candidate-view.ts";
import type { Decision, Relaxation } from "../core/choice/decision.ts";
import { expectFirstTokenMs } from "../core/choice/expectation.ts";
import type { AttemptHistory } from "../core/choice/hard-filters.ts";
import { FAILURE_POLICIES, type FallbackScope } from "../core/failure-policy.ts";
import { attemptsFailedError, concurrencyLimitError, stoppedError } from "../core/route-errors.ts";
import type { Adjustment } from "../domain/adjustment.ts";
import type { AttemptPurpose, AttemptRecord, RouteDecision } from "../domain/attempt.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { RouteError } from "../domain/errors.ts";
import type { GenerationEvent } from "../domain/event.ts";
import type { FailureClass } from "../domain/outcome.ts";
import type { Cleanup, ProviderEnd } from "../domain/ports.ts";
import { AttemptFlight, type FlightListener } from "./attempt-flight.ts";
import { type DecisionFacts, type DecisionStep, describeDecision } from "./decider.ts";
import { describeResult } from "./describe-result.ts";
import { explainNoCandidate } from "./explain-no-candidate.ts";
import { findNextStep } from "./find-next-step.ts";
import { fitContext } from "./fit-context.ts";
import { chooseHedge, findHedgeDelayMs, mayHedgeTo } from "./hedging.ts";
import { planFlight } from "./plan-flight.ts";
import type { RouteHandle } from "./route.ts";
import type { RoutePlan } from "./route-plan.ts";
import type { RouteBudgets, RouterParts } from "./router-parts.ts";
import { takePlaces } from "./take-places.ts";
import { type Chosen, chooseDirectly, couldServe, type HeldPlace, waitForPlace } from "./wait-for-place.ts";
import { waitForQuota } from "./wait-for-quota.ts";

type Completed = Extract<ProviderEnd, { kind: "completed" }>;

export class SingleRoute implements RouteHandle, FlightListener {
  readonly #parts: RouterParts;
  readonly #budgets: RouteBudgets;
  #plan: RoutePlan;
  #facts: DecisionFacts;
  readonly #attempts: AttemptRecord[] = [];
  readonly #decisions: RouteDecision[] = [];
  readonly #flights = new Set<AttemptFlight>();
  readonly #tried: Set<string>;
  readonly #retryCounts = new Map<string, number>();
  readonly #relaxed: Relaxation[] = [];
  #fitting: readonly Adjustment[] = [];
  #attemptCount = 0;
  #committed: AttemptFlight | undefined;
  #stopWaiting: Cleanup = () => {};
  #stopHedgeTimer: Cleanup = () => {};
  #stopDeadlineTimer: Cleanup = () => {};
  #ended = false;

  constructor(parts: RouterParts, budgets: RouteBudgets, plan: RoutePlan) {
    this.#parts = parts;
    this.#budgets = budgets;
    this.#plan = plan;
    this.#facts = parts.decider.deriveFacts(plan.request, plan.live, plan.context.deadlineMs);
    this.#tried = plan.tried ?? new Set();
    for (const { id } of plan.excluded) this.#tried.add(id);
  }

  /** Begins the walk. The consumer hears `onStarted` or `onFailed` from inside at the most. */
  begin(): void {
    const remainingMs = this.#plan.context.deadlineMs - this.#parts.clock.nowMs();
    if (remainingMs <= 0) return this.#fail(stoppedError("DEADLINE_EXCEEDED", []));
    this.#stopDeadlineTimer = this.#parts.clock.timer(remainingMs, () => this.#stop("DEADLINE_EXCEEDED"));
    const [avoided] = this.#plan.excluded;
    if (avoided === undefined) return this.#advance(this.#plan.purpose, undefined);
    const history = this.#historyOf(avoided, "any", 0);
    // Another provider where there is one and it matters, else another deployment.
    const other = this.#plan.differs ? this.#decide({ ...history, scope: "other_provider" }) : undefined;
    if (other?.kind === "chosen") return this.#take(other, this.#plan.purpose, history);
    this.#advance(this.#plan.purpose, history);
  }

  resume(): void {
    this.#committed?.resume();
  }

  cancel(cause: "caller_gone" | "shutdown"): void {
    this.#stop(cause === "shutdown" ? "DRAINING" : "CANCELLED");
  }

  /** Ends the walk because another one of the same request has won. The consumer hears nothing. */
  supersede(): readonly AttemptRecord[] {
    this.#ended = true;
    this.#stopTimers();
    for (const flight of [...this.#flights]) flight.abort("superseded");
    return this.#attempts;
  }

  get attempts(): readonly AttemptRecord[] {
    return this.#attempts;
  }

  get decisions(): readonly RouteDecision[] {
    return this.#decisions;
  }

  #stop(reason: "CANCELLED" | "DEADLINE_EXCEEDED" | "DRAINING"): void {
    if (this.#ended) return;
    this.#ended = true;
    // Settles the attempts as cancelled, so that they are in the list below.
    for (const flight of [...this.#flights]) flight.abort("cancelled");
    this.#end(stoppedError(reason, this.#attempts));
  }

  /** Decides and dispatches; waits where every candidate is full; fails where there is none. */
  #advance(purpose: AttemptPurpose, history: AttemptHistory | undefined): void {
    const decision = this.#decide(history);
    if (decision.kind === "chosen") {
      // Whoever waits would rather be late than refused.
      if (decision.relaxed === "headroom" && this.#wait(waitForQuota, purpose, history)) return;
      return this.#take(decision, purpose, history);
    }
    if (this.#wait(waitForPlace, purpose, history)) return;
    if (this.#attempts.length > 0) return this.#failAttempts();
    this.#fail(explainNoCandidate(this.#parts, this.#plan.request, this.#facts, decision));
  }

  #decide(history: AttemptHistory | undefined): Decision {
    const decision = this.#parts.decider.decide(this.#factsNow(), this.#stepAfter(history));
    this.#noteDecision(decision);
    return decision;
  }

  /** What would be decided; it counts for nothing. */
  #look(history: AttemptHistory, facts = this.#factsNow()): Chosen | undefined {
    const decision = this.#parts.decider.look(facts, this.#stepAfter(history));
    return decision.kind === "chosen" ? decision : undefined;
  }

  #stepAfter(history: AttemptHistory | undefined): DecisionStep {
    const lastAttempt = this.#attemptCount + 1 >= this.#plan.maxAttempts;
    return { history, lastAttempt, relaxedBefore: this.#relaxed };
  }

  /** The target's rule for failures has no say before one: who is excluded from the start has not failed. */
  #factsNow(): DecisionFacts {
    const { live } = this.#facts;
    if (this.#attemptCount > 0 || this.#plan.excluded.length === 0) return this.#facts;
    return { ...this.#facts, live: { ...live, set: { ...live.set, fallback: "spill" } } };
  }

  #noteDecision(decision: Decision): void {
    if (!this.#facts.explain) return;
    this.#decisions.push(describeDecision(decision, this.#facts, this.#attemptCount + 1));
  }

  /** Takes what a decision needs and dispatches. What was free a moment ago may be gone: then waits for it, or fails. */
  #take(decision: Chosen, purpose: AttemptPurpose, history: AttemptHistory | undefined): void {
    if (decision.relaxed !== undefined) this.#relaxed.push(decision.relaxed);
    if (this.#tryTake(decision, purpose, "nothing")) return;
    if (this.#wait(waitForPlace, purpose, history)) return;
    if (this.#attempts.length > 0) return this.#failAttempts();
    this.#fail(concurrencyLimitError());
  }

  /** Takes the places not held yet and the permit, and dispatches; false, with nothing taken, where one is not to be had. */
  #tryTake(decision: Chosen, purpose: AttemptPurpose, held: HeldPlace): boolean {
    const permit = takePlaces(this.#parts, this.#plan.live, decision, held);
    if (permit !== undefined) this.#dispatch(decision, permit, purpose);
    return permit !== undefined;
  }

  #dispatch(decision: Chosen, permit: AttemptFlight["plan"]["permit"], wanted: AttemptPurpose): void {
    const { live, consumer, account } = this.#plan;
    const { tier, tierIndex, view } = decision;
    const previous = this.#attempts.at(-1);
    live.limits[tierIndex]?.noteStart();
    this.#parts.deployments.entry(view.deployment).limit.noteStart();
    // Whoever waited for the same deployment again may have been given another one.
    const purpose =
      wanted === "retry" && previous?.deployment.id !== view.deployment.id ? "fallback" : wanted;
    this.#attemptCount += 1;
    this.#tried.add(view.deployment.id);
    this.#parts.settlement.noteDispatch(view.deployment);
    const { provider, model } = view.deployment;
    account.noteScopes([...tier.scopes, `model ${model}`, `provider ${provider}`]);
    const wantedAttempt = {
      attemptNumber: this.#attemptCount,
      purpose,
      decision,
      permit,
      tried: this.#tried,
    };
    const flight = new AttemptFlight(
      this.#parts,
      planFlight(this.#parts, this.#plan, this.#facts, wantedAttempt),
      this,
    );
    this.#flights.add(flight);
    if (purpose === "hedge") return;
    if (previous === undefined) {
      this.#armHedge(flight, decision);
      consumer.onStarted(view.deployment);
    } else {
      if (purpose === "fallback") this.#parts.settlement.noteFallback(previous, view.deployment, tier.scopes);
      consumer.onSwitched(this.#attemptCount, view.deployment, previous.outcome);
    }
  }

  /** The first delta commits; whoever else runs has lost. A usage that comes before it is not worth a commit. */
  onBatch(flight: AttemptFlight, batch: readonly GenerationEvent[], hasDelta: boolean): void {
    if (this.#ended || !hasDelta) return;
    if (this.#committed === undefined) this.#commit(flight);
    if (this.#ended || this.#committed !== flight) return;
    if (!this.#plan.consumer.onEvents(flight.plan.attemptNumber, batch)) flight.pause();
  }

  #commit(flight: AttemptFlight): void {
    this.#committed = flight;
    this.#stopHedgeTimer();
    const { purpose, attemptNumber, deployment } = flight.plan;
    // An answer without a delta is in the list already.
    const failed = this.#attempts.findLast((record) => record.attemptNumber !== attemptNumber);
    const previous = failed?.outcome ?? "superseded";
    for (const other of [...this.#flights]) if (other !== flight) other.abort("superseded");
    if (purpose === "hedge") this.#plan.consumer.onSwitched(attemptNumber, deployment, previous);
  }

  onEnd(flight: AttemptFlight, record: AttemptRecord, end: ProviderEnd): void {
    this.#flights.delete(flight);
    this.#attempts.push(record);
    if (this.#ended || record.outcome === "superseded") return;
    if (end.kind === "completed") {
      // An answer without any delta is whole all the same.
      if (this.#committed === undefined) this.#commit(flight);
      return this.#succeed(flight, record, end);
    }
    if (this.#committed !== undefined) return this.#failAttempts();
    // A hedge or its primary still runs: it may yet answer.
    if (this.#flights.size > 0) return;
    this.#stopHedgeTimer();
    this.#afterFailure(flight, record, end.failure.class);
  }

  #afterFailure(flight: AttemptFlight, record: AttemptRecord, failureClass: FailureClass): void {
    const { deployment, tierIndex } = flight.plan;
    const { set } = this.#plan.live;
    const scope = FAILURE_POLICIES[failureClass].fallback;
    const history = this.#historyOf(deployment, scope, tierIndex);
    const mayGoOn = scope !== "nowhere" && this.#attemptCount < this.#plan.maxAttempts;
    const other = mayGoOn ? this.#look(history)?.view.deployment : undefined;
    const retryCount = this.#retryCounts.get(deployment.id) ?? 0;
    const step = findNextStep(this.#parts, this.#plan, flight.plan, record, {
      failureClass,
      attemptCount: this.#attemptCount,
      retryCount,
      hasFallback: other !== undefined && other.id !== deployment.id,
      expectedMs: this.#expectMs(flight),
    });
    const isWaiting =
      step.kind === "give_up" &&
      mayGoOn &&
      (this.#wait(waitForPlace, "fallback", history) || this.#wait(waitForQuota, "fallback", history));
    if (step.kind === "give_up" && !isWaiting) {
      if (failureClass === "context_length_exceeded" && this.#tryFitted(flight, history)) return;
      return this.#failAttempts();
    }
    // Paid for only where there is something to be had for it.
    if (!this.#budgets.extra.withdraw()) return this.#failAttempts();
    if (step.kind === "retry") {
      this.#retryCounts.set(deployment.id, retryCount + 1);
      return this.#afterDelay(step.delayMs, () => this.#retry(flight, history));
    }
    if (step.kind === "give_up") return;
    if (set.retryDelayMs === 0) return this.#advance("fallback", history);
    this.#afterDelay(set.retryDelayMs, () => this.#advance("fallback", history));
  }

  /** One attempt more, once, with a prompt fitted anew: the estimate has learnt from the provider that it is too long. */
  #tryFitted(flight: AttemptFlight, history: AttemptHistory): boolean {
    const { live, contextOverflow = "fail", context } = this.#plan;
    if (this.#attemptCount >= this.#plan.maxAttempts) return false;
    const fitted = fitContext(this.#parts, this.#plan.request, live, contextOverflow);
    if (fitted.adjustments.length === 0 || !this.#budgets.extra.withdraw()) return false;
    this.#plan = { ...this.#plan, request: fitted.request, live: fitted.live, contextOverflow: "fail" };
    this.#facts = this.#parts.decider.deriveFacts(fitted.request, fitted.live, context.deadlineMs);
    this.#fitting = fitted.adjustments;
    if (fitted.live === live) this.#retry(flight, history);
    else this.#advance("fallback", { ...history, scope: "any" });
    return true;
  }

  /** The same deployment again, if it can be had, at once or when a place comes free; else whoever can. */
  #retry({ plan }: AttemptFlight, history: AttemptHistory): void {
    const tried = new Set(this.#tried);
    tried.delete(plan.deployment.id);
    const again: AttemptHistory = { ...history, scope: "any", tried };
    this.#parts.source.refreshIgnoringPlaces(this.#plan.live);
    const view = this.#viewOf(plan.deployment, plan.tierIndex);
    // Other requests may have learnt meanwhile that it must be left alone.
    if (view !== undefined && couldServe(this.#parts, this.#facts, again, view)) {
      const decision = chooseDirectly(this.#facts, view, plan.tierIndex);
      if (decision !== undefined && this.#tryTake(decision, "retry", "nothing")) return;
      if (this.#wait(waitForPlace, "retry", again)) return;
    }
    this.#advance("fallback", history);
  }

  #viewOf(deployment: Deployment, tierIndex: number): CandidateView | undefined {
    return this.#plan.live.views[tierIndex]?.find((view) => view.deployment.id === deployment.id);
  }

  /** Waits, as long as the request lives. A delay beyond the deadline ends with it. */
  #afterDelay(delayMs: number, fn: () => void): void {
    this.#stopWaiting = this.#parts.clock.timer(delayMs, fn);
  }

  #historyOf(failed: Deployment, scope: FallbackScope, tierIndex: number): AttemptHistory {
    const { model } = this.#parts.deployments.entry(failed);
    return {
      tried: this.#tried,
      failed,
      failedContextTokens: model.capabilities.contextWindowTokens,
      scope,
      tierIndex,
    };
  }

  /** Waits for what `waitForIt` says at a candidate that only lacks that. False when there is none, or no turn comes in time. */
  #wait(
    waitForIt: typeof waitForPlace,
    purpose: AttemptPurpose,
    history: AttemptHistory | undefined,
  ): boolean {
    const stop = waitForIt(this.#parts, this.#facts, history, {
      onPlace: (chosen, held) => this.#tryTake(chosen, purpose, held),
      onMissed: () => this.#advance(purpose, history),
    });
    this.#stopWaiting = stop ?? this.#stopWaiting;
    return stop !== undefined;
  }

  #armHedge(flight: AttemptFlight, first: Chosen): void {
    const mayHedge = this.#plan.hedges && this.#plan.maxAttempts > 1;
    const delayMs = mayHedge ? findHedgeDelayMs(this.#parts, this.#facts, first) : undefined;
    if (delayMs !== undefined)
      this.#stopHedgeTimer = this.#parts.clock.timer(delayMs, () => this.#hedge(flight));
  }

  /** A second attempt beside a first one that is slow to begin; the first delta of either wins. */
  #hedge({ plan: { deployment, tierIndex } }: AttemptFlight): void {
    if (this.#ended || this.#committed !== undefined || this.#attemptCount >= this.#plan.maxAttempts) return;
    const decision = chooseHedge(this.#factsNow(), (facts, scope) =>
      this.#look(this.#historyOf(deployment, scope, tierIndex), facts),
    );
    if (!decision || !mayHedgeTo(this.#parts, this.#plan.live, decision) || !this.#budgets.hedges.withdraw())
      return;
    this.#noteDecision(decision);
    this.#tryTake(decision, "hedge", "nothing");
  }

  #expectMs({ plan }: AttemptFlight): number {
    const view = this.#viewOf(plan.deployment, plan.tierIndex);
    return view === undefined ? 0 : expectFirstTokenMs(view, this.#facts.demands, this.#facts.settings);
  }

  #succeed({ plan }: AttemptFlight, record: AttemptRecord, end: Completed): void {
    const { context, consumer, account, isPart } = this.#plan;
    const totalMs = this.#parts.clock.nowMs() - context.arrivedMs;
    this.#ended = true;
    this.#stopTimers();
    if (isPart !== true) account.settleSuccess(this.#attempts);
    const adjustments = [...this.#fitting, ...plan.adjustments];
    const facts = { totalMs, attempts: this.#attempts, decisions: this.#decisions, adjustments };
    consumer.onFinished(describeResult(record, end, facts));
  }

  #failAttempts(): void {
    const { target } = this.#plan.request;
    const namedModel = target.kind === "model" ? target.model : undefined;
    this.#fail(attemptsFailedError(this.#attempts, { committed: this.#committed !== undefined, namedModel }));
  }

  #fail(error: RouteError): void {
    this.#ended = true;
    this.#end(error);
  }

  #end(error: RouteError): void {
    this.#stopTimers();
    const { account, consumer, isPart } = this.#plan;
    if (isPart !== true) account.settleFailure(this.#attempts, error);
    consumer.onFailed(error);
  }

  #stopTimers(): void {
    this.#stopDeadlineTimer();
    this.#stopHedgeTimer();
    this.#stopWaiting();
  }
}
