/** Takes requests in and lets the right kind of route walk. */

import { targetError } from "../core/candidates/target-failure.ts";
import type { Adjustment } from "../domain/adjustment.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { GenerationRequest } from "../domain/request.ts";
import { AttemptBudget } from "../policies/attempt-budget.ts";
import type { LiveSet } from "../policies/candidates/candidate-source.ts";
import { BestOfTwoRoute } from "./best-of-two-route.ts";
import { fitContext } from "./fit-context.ts";
import { RequestAccount } from "./request-account.ts";
import type { RouteConsumer, RouteContext, RouteHandle, Router } from "./route.ts";
import type { RouteBudgets, RouterParts } from "./router-parts.ts";
import { SingleRoute } from "./single-route.ts";

/** Routes requests over the deployments of one catalog. */
export class GenerationRouter implements Router {
  readonly #parts: RouterParts;
  readonly #budgets: RouteBudgets;

  constructor(parts: RouterParts) {
    this.#parts = parts;
    this.#budgets = {
      extra: new AttemptBudget(parts.options.budgets.extra, parts.clock),
      hedges: new AttemptBudget(parts.options.budgets.hedges, parts.clock),
    };
  }

  route(asked: GenerationRequest, context: RouteContext, caller: RouteConsumer): RouteHandle {
    const { source, requests, settlement, options } = this.#parts;
    requests.recordStart();
    this.#budgets.extra.deposit();
    this.#budgets.hedges.deposit();
    const account = new RequestAccount(settlement, context.requestId);
    const resolved = source.resolve(asked.target);
    if (resolved.kind === "failed") {
      const error = targetError(resolved.failure);
      account.settleFailure([], error);
      caller.onFailed(error);
      return ENDED;
    }
    const contextOverflow = asked.contextOverflow ?? options.contextOverflow ?? "fail";
    const fitted = fitContext(this.#parts, asked, resolved.live, contextOverflow);
    const { request, live } = fitted;
    const consumer = fitted.adjustments.length === 0 ? caller : tellAdjustments(caller, fitted.adjustments);
    const route = this.#wantsTwo(request, live)
      ? new BestOfTwoRoute(this.#parts, this.#budgets, live, request, context, consumer, account)
      : new SingleRoute(this.#parts, this.#budgets, {
          live,
          request,
          context,
          consumer,
          account,
          purpose: "first",
          excluded: [],
          hedges: true,
          maxAttempts: live.set.maxAttempts ?? this.#parts.options.maxAttempts,
          contextOverflow,
        });
    route.begin();
    return route;
  }

  /**
   * Makes one attempt at one deployment of a set, to see whether it is well; `onEnd` is
   * called once. It is no request: it counts as an attempt and as evidence only.
   */
  check(
    live: LiveSet,
    deployment: Deployment,
    request: GenerationRequest,
    deadlineMs: number,
    onEnd: () => void,
  ): RouteHandle {
    const others = live.set.tiers
      .flatMap((tier) => tier.deployments)
      .filter(({ id }) => id !== deployment.id);
    const requestId = this.#parts.newAttemptId();
    const route = new SingleRoute(this.#parts, this.#budgets, {
      live,
      request,
      context: { requestId, traceparent: undefined, arrivedMs: this.#parts.clock.nowMs(), deadlineMs },
      consumer: { onStarted() {}, onSwitched() {}, onEvents: () => true, onFinished: onEnd, onFailed: onEnd },
      account: new RequestAccount(this.#parts.settlement, requestId),
      purpose: "health_check",
      excluded: others,
      differs: false,
      hedges: false,
      maxAttempts: 1,
      isPart: true,
    });
    route.begin();
    return route;
  }

  #wantsTwo(request: GenerationRequest, { set }: LiveSet): boolean {
    const strategy = request.strategy ?? set.strategy ?? this.#parts.options.strategy;
    return strategy === "best_of_two";
  }
}

const ENDED: RouteHandle = { resume() {}, cancel() {} };

/** A consumer that is also told of what was changed before the first attempt. */
function tellAdjustments(consumer: RouteConsumer, adjustments: readonly Adjustment[]): RouteConsumer {
  return {
    onStarted: (deployment) => consumer.onStarted(deployment),
    onSwitched: (attemptNumber, deployment, previous) =>
      consumer.onSwitched(attemptNumber, deployment, previous),
    onEvents: (attemptNumber, batch) => consumer.onEvents(attemptNumber, batch),
    onFinished: (result) =>
      consumer.onFinished({ ...result, adjustments: [...adjustments, ...result.adjustments] }),
    onFailed: (error) => consumer.onFailed(error),
  };
}
