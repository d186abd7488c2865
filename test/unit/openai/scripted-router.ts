import type { RouteResult } from "../../../src/domain/attempt.ts";
import type { Deployment } from "../../../src/domain/deployment.ts";
import type { RouteError } from "../../../src/domain/errors.ts";
import type { GenerationEvent } from "../../../src/domain/event.ts";
import type { GenerationRequest } from "../../../src/domain/request.ts";
import type { RouteConsumer, RouteContext, RouteHandle, Router } from "../../../src/router/route.ts";
import { makeDeployment } from "./catalog.ts";

/** A route that a test drives by hand; it keeps the router's contract about endings. */
export class ScriptedRoute implements RouteHandle {
  readonly request: GenerationRequest;
  readonly context: RouteContext;
  readonly #consumer: RouteConsumer;
  readonly cancels: string[] = [];
  resumeCount = 0;
  #isEnded = false;

  constructor(request: GenerationRequest, context: RouteContext, consumer: RouteConsumer) {
    this.request = request;
    this.context = context;
    this.#consumer = consumer;
  }

  start(deployment: Deployment = makeDeployment("glm-4.6-flash", "zhipu")): void {
    this.#consumer.onStarted(deployment);
  }

  switchTo(attemptNumber: number, deployment: Deployment): void {
    this.#consumer.onSwitched(attemptNumber, deployment, "server_error");
  }

  send(batch: readonly GenerationEvent[], attemptNumber = 1): boolean {
    return this.#consumer.onEvents(attemptNumber, batch);
  }

  finish(result: Partial<RouteResult> = {}): void {
    const deployment = result.deployment ?? makeDeployment("glm-4.6-flash", "zhipu");
    this.#isEnded = true;
    this.#consumer.onFinished({
      deployment,
      responseModel: "glm-4.6-flash-250601",
      finishReason: "stop",
      rawFinishReason: "stop",
      totalMs: 12,
      attemptNumber: 1,
      attempts: [
        { attemptNumber: 1, deployment, outcome: "success", purpose: "first", tier: "auto", totalMs: 12 },
      ],
      decisions: [],
      adjustments: [],
      ...result,
    });
  }

  fail(error: RouteError): void {
    this.#isEnded = true;
    this.#consumer.onFailed(error);
  }

  resume(): void {
    this.resumeCount++;
  }

  cancel(cause: "caller_gone" | "shutdown"): void {
    if (this.#isEnded) return;
    this.cancels.push(cause);
    const reason = cause === "shutdown" ? "DRAINING" : "CANCELLED";
    this.fail({ reason, message: "stopped" });
  }
}

/** A router whose routes a test drives, from inside `script` or afterwards. */
export class ScriptedRouter implements Router {
  readonly routes: ScriptedRoute[] = [];
  script: (route: ScriptedRoute) => void = () => {};

  get last(): ScriptedRoute {
    const route = this.routes.at(-1);
    if (route === undefined) throw new Error("nothing has been routed yet");
    return route;
  }

  route(request: GenerationRequest, context: RouteContext, consumer: RouteConsumer): RouteHandle {
    const route = new ScriptedRoute(request, context, consumer);
    this.routes.push(route);
    this.script(route);
    return route;
  }
}
