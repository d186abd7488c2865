import { expect } from "chai";
import type { Pool } from "../../src/domain/targets.ts";
import { RouterBench } from "../support/router-bench.ts";
import { sampleModel } from "../support/sample-catalog.ts";
import { samplePool } from "../unit/core/candidates/sample-targets.ts";

const INTERVAL_MS = 30_000;
/** Checks are spread by a tenth of the interval to either side. */
const SPREAD_MS = INTERVAL_MS / 10;
const POOL = { target: { kind: "named", name: "pool" } } as const;

function makeBench(changes: Partial<Pool> = {}): RouterBench {
  const pools = [samplePool("pool", ["a", "b"], { healthCheckIntervalMs: INTERVAL_MS, ...changes })];
  return new RouterBench([sampleModel("a"), sampleModel("b")], { targets: { pools } });
}

function countAsked(bench: RouterBench): readonly number[] {
  return ["a", "b"].map((name) => bench.provider(`${name}-provider`).attempts.length);
}

function answerChecks(bench: RouterBench): void {
  for (const { attempts } of bench.providers.values()) attempts.at(-1)?.complete();
}

describe("health checks of a pool", () => {
  it("ask every instance without traffic for one token, each interval", async () => {
    const bench = makeBench();
    await bench.clock.advance(INTERVAL_MS - SPREAD_MS - 1);
    expect(countAsked(bench)).to.deep.equal([0, 0]);
    await bench.clock.advance(2 * SPREAD_MS + 2);
    expect(countAsked(bench)).to.deep.equal([1, 1]);
    expect(bench.provider("a-provider").last.call.request.sampling.maxOutputTokens).to.equal(1);
    answerChecks(bench);
    await bench.clock.advance(3 * INTERVAL_MS);
    expect(countAsked(bench)[0]).to.be.within(2, 4);
    bench.routing.close();
  });

  it("spare an instance that has traffic", async () => {
    const bench = makeBench({ rotation: "fixed" });
    for (let second = 0; second < 60; second++) {
      bench.route(POOL);
      bench.provider("a-provider").last.text("x");
      bench.provider("a-provider").last.complete();
      await bench.clock.advance(1_000);
    }
    expect(
      bench.settled.filter(
        ({ purpose, deployment }) => purpose === "health_check" && deployment.model === "a",
      ),
    ).to.deep.equal([]);
    expect(countAsked(bench)[1]).to.be.above(0);
    bench.routing.close();
  });

  it("ask each instance once at a time, and give a check up that hangs", async () => {
    const bench = makeBench({ healthCheckIntervalMs: 1_000 });
    await bench.clock.advance(4_000);
    expect(countAsked(bench)).to.deep.equal([1, 1]);
    await bench.clock.advance(6_000);
    expect(bench.settled.slice(0, 2).map(({ purpose, outcome }) => [purpose, outcome])).to.deep.equal([
      ["health_check", "timeout"],
      ["health_check", "timeout"],
    ]);
    bench.routing.close();
  });

  it("are evidence, but no requests", async () => {
    const bench = makeBench({
      breaker: { kind: "counting", failureThreshold: 1, recoveryTimeMs: 3_600_000, halfOpenRequests: 1 },
    });
    await bench.clock.advance(INTERVAL_MS + SPREAD_MS);
    bench.provider("a-provider").last.fail("server_error");
    bench.provider("b-provider").last.complete();
    for (let request = 0; request < 4; request++) {
      const { consumer } = bench.route(POOL);
      expect(consumer.log).to.deep.equal(["started b-provider/b"]);
      bench.provider("b-provider").last.complete();
    }
    expect(bench.requests.startedCount).to.equal(4);
    expect(bench.routing.metrics.snapshot(["a"]).models[0]?.total.startedCount).to.equal(1);
    const pool = bench.routing.metrics.snapshot([]).scopes.find(({ scope }) => scope === "pool pool");
    expect(pool?.totalRequestCount).to.equal(4);
    bench.routing.close();
  });

  it("ask the instance they mean in a pool that retries at the same one, and once", async () => {
    const bench = makeBench({
      rotation: "fixed",
      fallback: { strategy: "simple_retry", maxInstanceAttempts: 3 },
    });
    for (let second = 0; second < 34; second++) {
      bench.route(POOL);
      bench.provider("a-provider").last.text("x");
      bench.provider("a-provider").last.complete();
      await bench.clock.advance(1_000);
    }
    expect(countAsked(bench)).to.deep.equal([34, 1]);
    bench.provider("b-provider").last.fail("server_error");
    await bench.clock.advance(2_000);
    expect(countAsked(bench)).to.deep.equal([34, 1]);
    bench.routing.close();
  });

  it("bring back an instance whose breaker is open", async () => {
    const breaker = {
      kind: "counting",
      failureThreshold: 1,
      recoveryTimeMs: 5_000,
      halfOpenRequests: 1,
    } as const;
    const bench = makeBench({ breaker, rotation: "fixed" });
    bench.route(POOL);
    bench.provider("a-provider").last.fail("server_error");
    bench.provider("b-provider").last.complete();
    await bench.clock.advance(INTERVAL_MS + SPREAD_MS);
    expect(bench.provider("a-provider").attempts).to.have.length(2);
    bench.provider("a-provider").last.complete();
    expect(bench.route(POOL).consumer.log).to.deep.equal(["started a-provider/a"]);
    bench.routing.close();
  });

  it("stop when the service closes: checks under way are cut and no timer is left", async () => {
    const bench = makeBench();
    await bench.clock.advance(INTERVAL_MS + SPREAD_MS);
    bench.routing.close();
    expect(bench.provider("a-provider").last.aborted).to.equal(true);
    expect(bench.settled.map(({ outcome }) => outcome)).to.deep.equal(["cancelled", "cancelled"]);
    expect(bench.clock.pendingCount).to.equal(0);
    await bench.clock.advance(10 * INTERVAL_MS);
    expect(countAsked(bench)).to.deep.equal([1, 1]);
  });

  it("are not made where the pool wants none", () => {
    expect(makeBench({ healthCheckIntervalMs: undefined }).clock.pendingCount).to.equal(0);
  });
});
