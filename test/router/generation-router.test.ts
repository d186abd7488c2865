import { expect } from "chai";
import { FAILURE_POLICIES } from "../../src/core/failure-policy.ts";
import { FAILURE_CLASSES } from "../../src/domain/outcome.ts";
import { RouterBench } from "../support/router-bench.ts";
import { sampleModel } from "../support/sample-catalog.ts";

const two = () => [sampleModel("a"), sampleModel("b")];

describe("the walk of a request", () => {
  it("starts at the first candidate, forwards batches in order and finishes once", async () => {
    const bench = new RouterBench(two());
    const { consumer } = bench.route();
    const attempt = bench.provider("a-provider").last;
    await bench.clock.advance(100);
    attempt.text("Hel", "lo");
    await bench.clock.advance(50);
    attempt.text("!");
    attempt.complete();
    expect(consumer.log).to.deep.equal([
      "started a-provider/a",
      "events 1 Hel|lo",
      "events 1 !",
      "finished a-provider/a",
    ]);
    expect(consumer.result).to.include({
      finishReason: "stop",
      responseModel: "a-upstream-dated",
      timeToFirstTokenMs: 100,
      totalMs: 150,
    });
    expect(bench.settled.map(({ outcome }) => outcome)).to.deep.equal(["success"]);
    expect(bench.clock.pendingCount).to.equal(0);
  });

  it("falls back before the first delta, says so, and lists both attempts", () => {
    const bench = new RouterBench(two());
    const { consumer } = bench.route();
    bench.provider("a-provider").last.fail("server_error", { httpStatus: 500 });
    bench.provider("b-provider").last.text("hi");
    bench.provider("b-provider").last.complete();
    expect(consumer.log).to.deep.equal([
      "started a-provider/a",
      "switched 2 b-provider/b after server_error",
      "events 2 hi",
      "finished b-provider/b",
    ]);
    expect(consumer.result?.attempts.map(({ outcome, httpStatus }) => [outcome, httpStatus])).to.deep.equal([
      ["server_error", 500],
      ["success", undefined],
    ]);
    expect(bench.requests).to.include({ succeededCount: 1, fallbackCount: 1, inFlightCount: 0 });
  });

  it("never tries another deployment after a delta was forwarded", () => {
    const bench = new RouterBench(two());
    const { consumer } = bench.route();
    bench.provider("a-provider").last.text("half");
    bench.provider("a-provider").last.fail("stream_interrupted");
    expect(consumer.log.at(-1)).to.equal("failed STREAM_INTERRUPTED");
    expect(bench.provider("b-provider").attempts).to.have.length(0);
    expect(consumer.error?.failed?.attempts).to.have.length(1);
  });

  it("does not commit to an attempt that has told its usage only", () => {
    const bench = new RouterBench(two());
    const { consumer } = bench.route();
    bench.provider("a-provider").last.events({ kind: "usage", usage: { inputTokens: 5 } });
    bench.provider("a-provider").last.fail("stream_interrupted");
    bench.provider("b-provider").last.text("hi");
    bench.provider("b-provider").last.complete();
    expect(consumer.log.at(-1)).to.equal("finished b-provider/b");
    expect(consumer.result?.attempts[0]?.usage).to.deep.equal({ inputTokens: 5 });
  });

  it("prices usage in events, in the result and in the record", () => {
    const price = { inputNanoUsd: 1_000_000, outputNanoUsd: 2_000_000 };
    const bench = new RouterBench([sampleModel("a", { price })]);
    const { consumer } = bench.route();
    const usage = { inputTokens: 10, outputTokens: 3 };
    bench.provider("a-provider").last.events({ kind: "text_delta", text: "x" }, { kind: "usage", usage });
    bench.provider("a-provider").last.complete();
    const priced = { ...usage, costNanoUsd: 16 };
    expect(consumer.events[1]).to.deep.equal({ kind: "usage", usage: priced });
    expect(consumer.result?.usage).to.deep.equal(priced);
    expect(bench.settled[0]?.usage).to.deep.equal(priced);
  });

  for (const failureClass of FAILURE_CLASSES) {
    const { fallback } = FAILURE_POLICIES[failureClass];
    it(`goes ${fallback === "nowhere" ? "nowhere" : `on to ${fallback}`} after ${failureClass}`, () => {
      const bench = new RouterBench([
        sampleModel("a", { providers: ["p"] }),
        sampleModel("same", { providers: ["p"] }),
        sampleModel("big", { providers: ["q"], capabilities: { contextWindowTokens: 200_000 } }),
      ]);
      const { consumer } = bench.route();
      bench.provider("p").last.fail(failureClass);
      const next = consumer.log.at(-1) ?? "";
      const wanted = {
        any: `switched 2 p/same after ${failureClass}`,
        other_provider: `switched 2 q/big after ${failureClass}`,
        larger_context: `switched 2 q/big after ${failureClass}`,
        nowhere: `failed ${FAILURE_POLICIES[failureClass].reason}`,
      }[fallback];
      expect(next).to.equal(wanted);
    });
  }

  it("stops after the configured number of attempts and reports the most actionable failure", () => {
    const bench = new RouterBench([sampleModel("a"), sampleModel("b"), sampleModel("c")], { maxAttempts: 2 });
    const { consumer } = bench.route();
    bench.provider("a-provider").last.fail("rate_limit", { httpStatus: 429, retryAfterMs: 2_500 });
    bench.provider("b-provider").last.fail("network");
    expect(consumer.error).to.include({ reason: "UPSTREAM_RATE_LIMITED", retryAfterMs: 2_500 });
    expect(consumer.error?.failed?.attempts).to.have.length(2);
    expect(bench.provider("c-provider").attempts).to.have.length(0);
  });

  it("tries only the deployments of a named model, each once", () => {
    const bench = new RouterBench([sampleModel("a"), sampleModel("b", { providers: ["p", "q"] })]);
    const { consumer } = bench.route({ target: { kind: "model", model: "b" } });
    const order = consumer.log[0] === "started p/b" ? ["p", "q"] : ["q", "p"];
    for (const provider of order) bench.provider(provider).last.fail("model_unavailable");
    expect(consumer.log).to.deep.equal([
      `started ${order[0]}/b`,
      `switched 2 ${order[1]}/b after model_unavailable`,
      "failed NAMED_MODEL_UNAVAILABLE",
    ]);
  });

  it("refuses an unknown model and a request nobody can serve, without an attempt", () => {
    const bench = new RouterBench(two());
    expect(bench.route({ target: { kind: "model", model: "none" } }).consumer.error).to.deep.include({
      reason: "MODEL_NOT_FOUND",
      metadata: { model: "none" },
    });
    const { error } = bench.route({ taskType: "vision_analysis" }).consumer;
    expect(error?.reason).to.equal("NO_MODEL_MEETS_REQUIREMENTS");
    expect(error?.message).to.equal("no model meets the requirements: a takes no images, b takes no images");
    expect(bench.requests).to.include({ startedCount: 2, failedCount: 2, inFlightCount: 0 });
  });
});

describe("deadlines and cancellation", () => {
  it("leaves time for another deployment when the first one hangs", async () => {
    const bench = new RouterBench(two());
    const { consumer } = bench.route({}, 6_000);
    await bench.clock.advance(3_000);
    expect(bench.provider("a-provider").last.aborted).to.equal(true);
    expect(consumer.log.at(-1)).to.equal("switched 2 b-provider/b after timeout");
  });

  it("ends with DEADLINE_EXCEEDED at the deadline and aborts the attempt upstream", async () => {
    const bench = new RouterBench([sampleModel("a")]);
    const { consumer } = bench.route({}, 1_000);
    bench.provider("a-provider").last.text("slow");
    await bench.clock.advance(999);
    expect(consumer.error).to.equal(undefined);
    await bench.clock.advance(1);
    expect(consumer.error?.reason).to.equal("DEADLINE_EXCEEDED");
    expect(bench.provider("a-provider").last.aborted).to.equal(true);
    expect(bench.settled.map(({ outcome }) => outcome)).to.deep.equal(["cancelled"]);
    expect(bench.clock.pendingCount).to.equal(0);
  });

  it("refuses a request whose deadline has passed, without an attempt", () => {
    const bench = new RouterBench([sampleModel("a")]);
    expect(bench.route({}, 0).consumer.log).to.deep.equal(["failed DEADLINE_EXCEEDED"]);
  });

  for (const moment of ["before the first delta", "after the first delta"] as const) {
    it(`aborts and settles once when the caller leaves ${moment}`, () => {
      const bench = new RouterBench(two());
      const { consumer, handle } = bench.route();
      const attempt = bench.provider("a-provider").last;
      if (moment === "after the first delta") attempt.text("x");
      handle.cancel("caller_gone");
      expect(attempt.aborted).to.equal(true);
      attempt.text("late");
      attempt.complete();
      handle.cancel("caller_gone");
      expect(consumer.log.filter((line) => line.startsWith("f"))).to.deep.equal(["failed CANCELLED"]);
      expect(bench.settled.map(({ outcome }) => outcome)).to.deep.equal(["cancelled"]);
      expect(bench.deployments.entry(attempt.call.deployment).breaker.consecutiveFailureCount).to.equal(0);
      expect(bench.requests).to.include({ cancelledCount: 1, failedCount: 0, inFlightCount: 0 });
      expect(bench.clock.pendingCount).to.equal(0);
    });
  }

  it("tells a caller whose request is cut by a shutdown to try elsewhere", () => {
    const bench = new RouterBench(two());
    const { consumer, handle } = bench.route();
    handle.cancel("shutdown");
    expect(consumer.error).to.include({ reason: "DRAINING", retryAfterMs: 0 });
  });

  it("ends a stream that goes silent, as interrupted after a timeout", async () => {
    const bench = new RouterBench([sampleModel("a")]);
    const { consumer } = bench.route();
    bench.provider("a-provider").last.text("x");
    await bench.clock.advance(1_500);
    bench.provider("a-provider").last.activity();
    await bench.clock.advance(1_500);
    expect(consumer.error).to.equal(undefined);
    await bench.clock.advance(500);
    expect(consumer.error?.reason).to.equal("STREAM_INTERRUPTED");
    expect(bench.settled[0]?.outcome).to.equal("timeout");
  });

  it("does not count keep-alive comments as the first token", async () => {
    const bench = new RouterBench([sampleModel("a")]);
    const { consumer } = bench.route();
    for (let second = 0; second < 5; second++) {
      bench.provider("a-provider").last.activity();
      await bench.clock.advance(1_000);
    }
    expect(consumer.error?.reason).to.equal("UPSTREAM_TIMEOUT");
  });
});

describe("back-pressure", () => {
  it("pauses the provider while the caller reads too slowly, and does not call that idle", async () => {
    const bench = new RouterBench([sampleModel("a")]);
    const { consumer, handle } = bench.route();
    const attempt = bench.provider("a-provider").last;
    consumer.hasRoom = false;
    attempt.text("x");
    expect(attempt.paused).to.equal(true);
    await bench.clock.advance(20_000);
    expect(consumer.error).to.equal(undefined);
    consumer.hasRoom = true;
    handle.resume();
    expect(attempt.paused).to.equal(false);
    await bench.clock.advance(2_000);
    expect(consumer.error?.reason).to.equal("STREAM_INTERRUPTED");
  });
});

describe("breakers on the walk", () => {
  it("opens after the threshold, routes around, and returns through one probe", async () => {
    const bench = new RouterBench(two());
    for (let request = 0; request < 3; request++) {
      bench.route();
      bench.provider("a-provider").last.fail("server_error");
      bench.provider("b-provider").last.complete();
    }
    expect(bench.routing.metrics.snapshot(["a"]).models[0]?.deployments[0]).to.include({
      breakerState: "open",
      nextProbeDelayMs: 10_000,
    });
    const around = bench.route();
    expect(around.consumer.log).to.deep.equal(["started b-provider/b"]);
    bench.provider("b-provider").last.complete();
    await bench.clock.advance(10_000);
    const probe = bench.route();
    const beside = bench.route();
    expect(probe.consumer.log).to.deep.equal(["started a-provider/a"]);
    expect(beside.consumer.log).to.deep.equal(["started b-provider/b"]);
    bench.provider("a-provider").last.complete();
    expect(bench.route().consumer.log).to.deep.equal(["started a-provider/a"]);
  });

  it("says when to come back when every breaker is open", () => {
    const bench = new RouterBench([sampleModel("a")], { failureThreshold: 1 });
    bench.route();
    bench.provider("a-provider").last.fail("overloaded");
    expect(bench.route().consumer.error).to.include({
      reason: "NO_DEPLOYMENT_AVAILABLE",
      retryAfterMs: 10_000,
    });
  });
});

describe("concurrency limits", () => {
  const limited = () => [sampleModel("a", { concurrencyLimit: 1 })];

  it("lets waiting requests in one after the other, in the order they came", () => {
    const bench = new RouterBench(limited());
    const routes = [bench.route(), bench.route(), bench.route()];
    const provider = bench.provider("a-provider");
    for (let served = 1; served <= 3; served++) {
      expect(provider.attempts).to.have.length(served);
      expect(routes.map(({ consumer }) => consumer.log.length > 0)).to.deep.equal(
        [1, 2, 3].map((place) => place <= served),
      );
      provider.last.complete();
    }
  });

  it("uses a free deployment rather than waiting for a full one", () => {
    const bench = new RouterBench([...limited(), sampleModel("b")]);
    bench.route();
    expect(bench.route().consumer.log).to.deep.equal(["started b-provider/b"]);
  });

  it("refuses at once when the queue is full", () => {
    const bench = new RouterBench(limited(), { maxWaitingAttempts: 1 });
    bench.route();
    bench.route();
    expect(bench.route().consumer.error?.reason).to.equal("CONCURRENCY_LIMIT_REACHED");
  });

  it("gives up waiting at the deadline or when the caller leaves, and leaves the queue", async () => {
    const bench = new RouterBench(limited());
    bench.route();
    const late = bench.route({}, 1_000);
    const gone = bench.route();
    gone.handle.cancel("caller_gone");
    await bench.clock.advance(1_000);
    expect(late.consumer.error?.reason).to.equal("DEADLINE_EXCEEDED");
    const { limit } = bench.deployments.entry(bench.provider("a-provider").last.call.deployment);
    expect(limit.waitingCount).to.equal(0);
    bench.provider("a-provider").last.complete();
    expect(limit.inUseCount).to.equal(0);
  });
});
