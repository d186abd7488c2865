import { expect } from "chai";
import type { Model } from "../../src/domain/deployment.ts";
import { type BenchChanges, RouterBench } from "../support/router-bench.ts";
import { sampleModel } from "../support/sample-catalog.ts";

const INTERVAL_MS = 500;
const A = { target: { kind: "model", model: "a" } } as const;

function spaced(name: string): Model {
  const model = sampleModel(name);
  return {
    ...model,
    deployments: model.deployments.map((each) => ({ ...each, minIntervalMs: INTERVAL_MS })),
  };
}

/** One model whose attempts start at least half a second apart. */
function makeBench(changes: BenchChanges = {}): RouterBench {
  return new RouterBench([spaced("a")], changes);
}

function countStarted(bench: RouterBench): number {
  return bench.provider("a-provider").attempts.length;
}

describe("a deployment's min_interval", () => {
  it("lets requests start one after the other, in order, at its pace, however long answers take", async () => {
    const bench = makeBench();
    const routes = [bench.route(A), bench.route(A), bench.route(A)];
    const [metrics] = bench.routing.metrics.snapshot([]).models;
    expect(metrics?.deployments[0]?.waitingCount).to.equal(2);
    for (let started = 1; started <= 3; started++) {
      expect(countStarted(bench)).to.equal(started);
      bench.provider("a-provider").attempts.at(-1)?.text("slow");
      await bench.clock.advance(INTERVAL_MS - 1);
      expect(countStarted(bench)).to.equal(started);
      await bench.clock.advance(1);
    }
    for (const attempt of bench.provider("a-provider").attempts) attempt.complete();
    const ends = routes.map(({ consumer }) => consumer.log.at(-1));
    expect(ends).to.deep.equal(Array(3).fill("finished a-provider/a"));
    expect(bench.clock.pendingCount).to.equal(0);
  });

  it("sends requests elsewhere meanwhile, and comes back", async () => {
    const bench = new RouterBench([spaced("a"), sampleModel("b")]);
    bench.route();
    expect(bench.route().consumer.log).to.deep.equal(["started b-provider/b"]);
    await bench.clock.advance(INTERVAL_MS);
    expect(bench.route().consumer.log).to.deep.equal(["started a-provider/a"]);
  });

  it("holds for retries of the same deployment too", async () => {
    const bench = makeBench({ routing: { retry: { ...RETRY_AT_ONCE } } });
    const { consumer } = bench.route(A);
    bench.provider("a-provider").attempts[0]?.fail("server_error");
    await bench.clock.advance(INTERVAL_MS - 1);
    expect(countStarted(bench)).to.equal(1);
    await bench.clock.advance(1);
    expect(consumer.log.at(-1)).to.equal("switched 2 a-provider/a after server_error");
  });

  it("refuses at once, and says when to come back, where the turn would come after the deadline", () => {
    const bench = makeBench();
    bench.route(A);
    bench.route(A);
    const { error } = bench.route(A, 2 * INTERVAL_MS).consumer;
    expect(error).to.include({ reason: "UPSTREAM_RATE_LIMITED", retryAfterMs: 2 * INTERVAL_MS });
    expect(bench.route(A, 2 * INTERVAL_MS + 1).consumer.error).to.equal(undefined);
  });

  it("says that the queue is full where that is what is in the way", () => {
    const bench = makeBench({ maxWaitingAttempts: 1 });
    bench.route(A);
    bench.route(A);
    expect(bench.route(A).consumer.error?.reason).to.equal("CONCURRENCY_LIMIT_REACHED");
  });

  it("gives the turn of a caller who left to the next", async () => {
    const bench = makeBench();
    bench.route(A);
    const left = bench.route(A);
    const next = bench.route(A);
    left.handle.cancel("caller_gone");
    await bench.clock.advance(INTERVAL_MS);
    expect(next.consumer.log).to.deep.equal(["started a-provider/a"]);
  });

  it("leaves no timer behind when the router is closed", () => {
    const bench = makeBench();
    bench.route(A);
    bench.provider("a-provider").attempts[0]?.complete();
    bench.deployments.close();
    expect(bench.clock.pendingCount).to.equal(0);
  });
});

const RETRY_AT_ONCE = {
  maxRetries: 1,
  baseDelayMs: 0,
  maxDelayMs: 0,
  multiplier: 1,
  jitterRatio: 0,
  retryClasses: new Set(["server_error"] as const),
};
