import { expect } from "chai";
import type { RouteResult } from "../../../src/domain/attempt.ts";
import { type ModelTestEnd, type ModelTestPlan, testModels } from "../../../src/router/model-tests.ts";
import type { RouteConsumer, RouteContext, Router } from "../../../src/router/route.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const DEPLOYMENT = {
  id: "p/m",
  model: "m",
  provider: "p",
  upstreamModel: "m",
  simulated: false,
  requestOverrides: {},
  concurrencyLimit: undefined,
};

/** A router that answers when told to; models named `broken` fail at once, inside `route`. */
class ManualRouter implements Router {
  readonly asked: { model: string; context: RouteContext; consumer: RouteConsumer }[] = [];
  readonly cancelled: string[] = [];

  route: Router["route"] = (request, context, consumer) => {
    const model = request.target.kind === "model" ? request.target.model : "";
    this.asked.push({ model, context, consumer });
    if (model.startsWith("broken")) {
      consumer.onFailed({ reason: "NO_DEPLOYMENT_AVAILABLE", message: "none" });
    }
    return {
      resume() {},
      cancel: (cause) => {
        this.cancelled.push(`${model} ${cause}`);
        consumer.onFailed({ reason: "CANCELLED", message: "left" });
      },
    };
  };

  finish(model: string, changes: Partial<RouteResult> = {}): void {
    this.asked
      .find((each) => each.model === model)
      ?.consumer.onFinished({
        deployment: DEPLOYMENT,
        responseModel: "m",
        finishReason: "stop",
        rawFinishReason: "stop",
        usage: { outputTokens: 11 },
        timeToFirstTokenMs: 100,
        totalMs: 600,
        attemptNumber: 1,
        attempts: [],
        decisions: [],
        adjustments: [],
        ...changes,
      });
  }
}

describe("a test of models", () => {
  const clock = new FakeClock();

  function start(models: readonly string[], maxConcurrentCount: number) {
    const router = new ManualRouter();
    const log: string[] = [];
    const ends = new Map<string, ModelTestEnd>();
    const plan: ModelTestPlan = {
      models,
      maxConcurrentCount,
      prompt: "Hi",
      maxOutputTokens: 5,
      timeoutMs: 1_000,
      deadlineMs: clock.nowMs() + 1_500,
      requestId: "r",
      traceparent: undefined,
    };
    const cancel = testModels(router, clock, plan, {
      onStarted: (model) => log.push(`${model} started`),
      onEnded(model, end) {
        ends.set(model, end);
        log.push(`${model} ${end.kind}`);
      },
      onOver: () => log.push("over"),
    });
    return { router, log, ends, cancel };
  }

  it("asks no more at once than it may, and the next when one has ended", () => {
    const { router, log } = start(["a", "b", "c"], 2);
    expect(log).to.deep.equal(["a started", "b started"]);
    router.finish("b");
    expect(log.slice(2)).to.deep.equal(["b available", "c started"]);
    router.finish("a");
    router.finish("c");
    expect(log.slice(4)).to.deep.equal(["a available", "c available", "over"]);
    expect(new Set(router.asked.map(({ context }) => context.requestId)).size).to.equal(3);
  });

  it("goes on past models that fail at once, however many", () => {
    const models = Array.from({ length: 20_000 }, (_, index) => `broken${index}`);
    const { log } = start(models, 3);
    expect(log).to.have.length(2 * models.length + 1);
    expect(log.at(-1)).to.equal("over");
  });

  it("gives each its time, within the caller's deadline", async () => {
    const { router } = start(["a", "b"], 1);
    expect(router.asked[0]?.context.deadlineMs).to.equal(clock.nowMs() + 1_000);
    await clock.advance(900);
    router.finish("a");
    expect(router.asked[1]?.context.deadlineMs).to.equal(clock.nowMs() + 600);
  });

  it("measures tokens per second after the first token, where it can", () => {
    const { router, ends } = start(["a", "b", "c", "d"], 4);
    router.finish("a");
    router.finish("b", { usage: {} });
    router.finish("c", { timeToFirstTokenMs: 600 });
    // Written before it was sent: a server that does not stream is not the fastest.
    router.finish("d", { timeToFirstTokenMs: 599.9 });
    const paces = [...ends.values()].map((end) => end.kind === "available" && end.tokensPerSecond);
    expect(paces).to.deep.equal([20, undefined, undefined, undefined]);
  });

  it("cancels what runs and says nothing more", () => {
    const { router, log, cancel } = start(["a", "b", "c"], 2);
    cancel("shutdown");
    expect(router.cancelled).to.deep.equal(["a shutdown", "b shutdown"]);
    expect(log).to.deep.equal(["a started", "b started"]);
    expect(router.asked).to.have.length(2);
  });
});
