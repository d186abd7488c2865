import { expect } from "chai";
import { type BenchChanges, RouterBench } from "../support/router-bench.ts";
import { sampleModel } from "../support/sample-catalog.ts";

/** Eight a minute: two at once, and then one each 7.5 s. */
const INTERVAL_MS = 7_500;
const LIMITS = { requestsPerMinute: 8 };
const LONG_MS = 10 * INTERVAL_MS;

/** Models whose deployments allow eight requests a minute. */
function makeBench(names: readonly string[], changes: BenchChanges = {}): RouterBench {
  const models = names.map((name) => sampleModel(name));
  const ids = models.flatMap(({ deployments }) => deployments.map(({ id }) => id));
  return new RouterBench(models, { ...changes, deploymentLimits: new Map(ids.map((id) => [id, LIMITS])) });
}

/** Requests that are served at once, so that nothing is left of the limits. */
function useUp(bench: RouterBench, names: readonly string[]): void {
  for (const name of names) {
    for (let request = 0; request < 2; request++) {
      bench.route({ target: { kind: "model", model: name } });
      bench.provider(`${name}-provider`).attempts.at(-1)?.complete();
    }
  }
}

function countStarted(bench: RouterBench, name = "a"): number {
  return bench.provider(`${name}-provider`).attempts.length;
}

describe("a request that finds every candidate beyond its limits per minute", () => {
  it("waits until there is room, in order, and is counted meanwhile", async () => {
    const bench = makeBench(["a"]);
    useUp(bench, ["a"]);
    const routes = [bench.route({}, LONG_MS), bench.route({}, LONG_MS)];
    expect(countStarted(bench)).to.equal(2);
    expect(bench.routing.metrics.snapshot([]).models[0]?.deployments[0]?.waitingCount).to.equal(2);
    for (const started of [3, 4]) {
      await bench.clock.advance(INTERVAL_MS - 120);
      expect(countStarted(bench)).to.equal(started - 1);
      await bench.clock.advance(120);
      expect(countStarted(bench)).to.equal(started);
      bench.provider("a-provider").attempts.at(-1)?.complete();
      expect(routes[started - 3]?.consumer.log.at(-1)).to.equal("finished a-provider/a");
    }
    expect(bench.clock.pendingCount).to.equal(0);
  });

  it("is not overtaken by one that comes when room has just come", async () => {
    const bench = makeBench(["a"]);
    useUp(bench, ["a"]);
    const first = bench.route({}, LONG_MS);
    await bench.clock.advance(INTERVAL_MS - 1);
    const second = bench.route({}, LONG_MS);
    await bench.clock.advance(60);
    expect([first.consumer.log.length, second.consumer.log.length]).to.deep.equal([1, 0]);
  });

  it("is not overtaken when an answer that was shorter than expected gives room back", async () => {
    const model = sampleModel("a");
    const limits = { tokensPerMinute: 2_000 };
    const bench = new RouterBench([model], {
      deploymentLimits: new Map(model.deployments.map(({ id }) => [id, limits])),
    });
    bench.route({}, LONG_MS);
    const first = bench.route({}, LONG_MS);
    expect(first.consumer.log).to.deep.equal([]);
    const [attempt] = bench.provider("a-provider").attempts;
    attempt?.events({ kind: "usage", usage: { inputTokens: 1, outputTokens: 1 } });
    attempt?.complete();
    const second = bench.route({}, LONG_MS);
    expect([first.consumer.log, second.consumer.log]).to.deep.equal([[], []]);
    await bench.clock.advance(LONG_MS / 2);
    expect(first.consumer.log[0]).to.equal("started a-provider/a");
  });

  it("goes to another candidate that has room", () => {
    const bench = makeBench(["a", "b"]);
    useUp(bench, ["a"]);
    expect(bench.route({}, LONG_MS).consumer.log).to.deep.equal(["started b-provider/b"]);
  });

  it("tries at once where its answer would come too late, by the deadline or by its max_latency", () => {
    for (const [requirements, timeoutMs] of [
      [{}, INTERVAL_MS],
      [{ maxLatencyMs: INTERVAL_MS }, LONG_MS],
    ] as const) {
      const bench = makeBench(["a"]);
      useUp(bench, ["a"]);
      const none = { vision: false, tools: false, jsonOutput: false, longContext: false };
      const { consumer } = bench.route({ requirements: { ...none, ...requirements } }, timeoutMs);
      expect(consumer.log).to.deep.equal(["started a-provider/a"]);
    }
  });

  it("tries at once where the queue is full", () => {
    const bench = makeBench(["a"], { maxWaitingAttempts: 1 });
    useUp(bench, ["a"]);
    bench.route({}, LONG_MS);
    expect(bench.route({}, LONG_MS).consumer.log).to.deep.equal(["started a-provider/a"]);
  });

  it("waits a tenth of its time at most where somebody has waited for 45 s", async () => {
    const bench = makeBench(["a"], { maxWaitingAttempts: 100 });
    useUp(bench, ["a"]);
    for (let waiter = 0; waiter < 8; waiter++) bench.route({}, 2 * LONG_MS);
    for (let turn = 0; turn < 5; turn++) {
      await bench.clock.advance(INTERVAL_MS);
      bench.provider("a-provider").attempts.at(-1)?.complete();
    }
    await bench.clock.advance(45_000 - 5 * INTERVAL_MS - 100);
    expect(bench.route({}, LONG_MS).consumer.log).to.deep.equal([]);
    await bench.clock.advance(200);
    expect(bench.route({}, LONG_MS).consumer.log).to.deep.equal(["started a-provider/a"]);
    expect(bench.route({}, 100 * LONG_MS).consumer.log).to.deep.equal([]);
  });

  it("leaves its turn to the next when its caller leaves", async () => {
    const bench = makeBench(["a"]);
    useUp(bench, ["a"]);
    const gone = bench.route({}, LONG_MS);
    const next = bench.route({}, LONG_MS);
    gone.handle.cancel("caller_gone");
    await bench.clock.advance(INTERVAL_MS + 60);
    expect([gone.consumer.log, next.consumer.log]).to.deep.equal([
      ["failed CANCELLED"],
      ["started a-provider/a"],
    ]);
  });

  it("waits for its second attempt too", async () => {
    const bench = makeBench(["a", "b"]);
    useUp(bench, ["b"]);
    const { consumer } = bench.route({}, LONG_MS);
    bench.provider("a-provider").attempts[0]?.fail("rate_limit", { retryAfterMs: 60_000 });
    expect(consumer.log).to.deep.equal(["started a-provider/a"]);
    await bench.clock.advance(INTERVAL_MS + 60);
    expect(consumer.log.at(-1)).to.equal("switched 2 b-provider/b after rate_limit");
  });

  it("looks elsewhere when its turn has come and its deployment cannot serve any more", async () => {
    const bench = makeBench(["a", "b"]);
    useUp(bench, ["a", "b"]);
    const { consumer } = bench.route({}, LONG_MS);
    const waiting = bench.routing.metrics
      .snapshot([])
      .models.find(({ deployments }) => (deployments[0]?.waitingCount ?? 0) > 0)?.model.name;
    const deployment = sampleModel(waiting ?? "").deployments[0];
    if (deployment === undefined) throw new Error("nobody waits");
    bench.routing.setAside(deployment);
    await bench.clock.advance(2 * INTERVAL_MS);
    const other = waiting === "a" ? "b" : "a";
    expect(consumer.log[0]).to.equal(`started ${other}-provider/${other}`);
  });
});
