import { expect } from "chai";
import type { Config } from "../../src/config/config.ts";
import { FAILURE_CLASSES } from "../../src/domain/outcome.ts";
import { type BenchChanges, RouterBench } from "../support/router-bench.ts";
import { sampleModel } from "../support/sample-catalog.ts";
import { driveRequest } from "./drive-request.ts";

/** Seed 002's words: maxRetries, baseDelay 1 s, maxDelay, backoffMultiplier, retryableErrors. */
const STRATEGY: Config["routing"]["retry"] = {
  maxRetries: 3,
  baseDelayMs: 1_000,
  maxDelayMs: 30_000,
  multiplier: 2,
  jitterRatio: 0,
  retryClasses: new Set(["timeout", "network", "server_error"]),
};

/** One deployment, so that only retries can help, and a breaker that stays out of the way. */
function makeBench(changes: Partial<Config["routing"]> = {}, more: BenchChanges = {}): RouterBench {
  return new RouterBench([sampleModel("a")], {
    maxAttempts: 10,
    failureThreshold: 100,
    ...more,
    routing: { retry: STRATEGY, ...changes },
  });
}

describe("a retry at the same deployment", () => {
  it("is made for the named classes only", async () => {
    for (const failureClass of FAILURE_CLASSES) {
      const { models } = await driveRequest(makeBench(), {}, () => failureClass);
      const isNamed = STRATEGY.retryClasses.has(failureClass);
      expect(models.length > 1, failureClass).to.equal(isNamed);
    }
  });

  it("is made maxRetries times, and each is told as a retry", async () => {
    for (const maxRetries of [0, 1, 3]) {
      const { consumer } = await driveRequest(
        makeBench({ retry: { ...STRATEGY, maxRetries } }),
        {},
        () => "server_error",
      );
      const purposes = consumer.error?.failed?.attempts.map(({ purpose }) => purpose) ?? [];
      expect(purposes).to.deep.equal(["first", ...Array.from({ length: maxRetries }, () => "retry")]);
      expect(consumer.log.slice(1, -1)).to.deep.equal(
        purposes.slice(1).map((_, index) => `switched ${index + 2} a-provider/a after server_error`),
      );
    }
  });

  it("waits for baseDelay × multiplier^n, at most maxDelay", async () => {
    const bench = makeBench({ retry: { ...STRATEGY, maxRetries: 4, maxDelayMs: 3_000 } });
    const { atMs } = await driveRequest(bench, {}, () => "server_error");
    expect(atMs).to.deep.equal([0, 1_000, 3_000, 6_000, 9_000]);
  });

  it("waits for less by chance, within the jitter, and not always for the same time", async () => {
    const delays = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      const bench = makeBench({ retry: { ...STRATEGY, jitterRatio: 0.5 } }, { seed });
      const { atMs } = await driveRequest(bench, {}, () => "server_error");
      const [, secondMs = 0] = atMs;
      expect(secondMs).to.be.within(500, 1_000);
      delays.add(secondMs);
    }
    expect(delays.size).to.be.above(3);
  });

  it("follows its provider's own strategy where there is one", async () => {
    const own = { ...STRATEGY, maxRetries: 1, baseDelayMs: 200 };
    const bench = makeBench({ providerRetry: new Map([["a-provider", own]]) });
    const { atMs } = await driveRequest(bench, {}, () => "network");
    expect(atMs).to.deep.equal([0, 200]);
  });

  it("waits for the provider's Retry-After where that is longer", async () => {
    const retryClasses = new Set(["rate_limit"] as const);
    const bench = makeBench({ retry: { ...STRATEGY, maxRetries: 1, retryClasses } });
    const { consumer } = bench.route();
    bench.provider("a-provider").last.fail("rate_limit", { retryAfterMs: 7_000 });
    await bench.clock.advance(6_999);
    expect(bench.provider("a-provider").attempts).to.have.length(1);
    await bench.clock.advance(1);
    bench.provider("a-provider").last.complete();
    expect(consumer.log.at(-1)).to.equal("finished a-provider/a");
  });

  it("is not made when the wait and an answer's beginning do not fit before the deadline", async () => {
    const bench = makeBench();
    const { consumer } = bench.route({}, 1_500);
    bench.provider("a-provider").last.fail("server_error");
    expect(consumer.error?.reason).to.equal("UPSTREAM_ERROR");
    expect(bench.clock.pendingCount).to.equal(0);
  });

  it("is not made where another deployment can be had at once", async () => {
    const bench = new RouterBench([sampleModel("a"), sampleModel("b")], { routing: { retry: STRATEGY } });
    const { models, atMs } = await driveRequest(bench, {}, (model) =>
      model === "a" ? "server_error" : "answers",
    );
    expect([models, atMs]).to.deep.equal([
      ["a", "b"],
      [0, 0],
    ]);
  });

  it("is not made once another request has learnt that the provider must be left alone", async () => {
    const bench = makeBench();
    const { consumer } = bench.route();
    bench.provider("a-provider").last.fail("server_error");
    bench.route();
    bench.provider("a-provider").last.fail("rate_limit", { retryAfterMs: 60_000 });
    await bench.clock.advance(5_000);
    expect(bench.provider("a-provider").attempts).to.have.length(2);
    expect(consumer.error?.reason).to.equal("UPSTREAM_ERROR");
  });

  it("waits for a place where another request has taken it meanwhile", async () => {
    const bench = new RouterBench([sampleModel("a", { concurrencyLimit: 1 })], {
      routing: { retry: STRATEGY },
    });
    const { consumer } = bench.route();
    bench.provider("a-provider").last.fail("server_error");
    bench.route();
    await bench.clock.advance(1_000);
    bench.provider("a-provider").last.complete();
    bench.provider("a-provider").last.complete();
    expect(consumer.log).to.deep.equal([
      "started a-provider/a",
      "switched 2 a-provider/a after server_error",
      "finished a-provider/a",
    ]);
    expect(consumer.result?.attempts.at(-1)?.purpose).to.equal("retry");
  });

  it("is forgotten when the caller leaves in the back-off", async () => {
    const bench = makeBench();
    const { consumer, handle } = bench.route();
    bench.provider("a-provider").last.fail("server_error");
    handle.cancel("caller_gone");
    expect(bench.clock.pendingCount).to.equal(0);
    await bench.clock.advance(60_000);
    expect(bench.provider("a-provider").attempts).to.have.length(1);
    expect(consumer.error?.failed?.attempts.map(({ outcome }) => outcome)).to.deep.equal(["server_error"]);
  });
});

describe("the budget of extra attempts", () => {
  const empty = { extra: { ratio: 0, perSecond: 0 }, hedges: { ratio: 0, perSecond: 0 } };

  it("when it is empty allows no retry and no fallback", async () => {
    const retry = await driveRequest(makeBench({ budgets: empty }), {}, () => "server_error");
    expect(retry.models).to.deep.equal(["a"]);
    const two = new RouterBench([sampleModel("a"), sampleModel("b")], { routing: { budgets: empty } });
    const { models, consumer } = await driveRequest(two, {}, () => "server_error");
    expect(models).to.deep.equal(["a"]);
    expect(consumer.error?.reason).to.equal("UPSTREAM_ERROR");
  });

  it("allows a share of the requests: with 0.2 one in five", async () => {
    const budgets = { ...empty, extra: { ratio: 0.2, perSecond: 0 } };
    const bench = new RouterBench([sampleModel("a"), sampleModel("b")], {
      failureThreshold: 1_000,
      routing: { budgets },
    });
    let fallbackCount = 0;
    for (let request = 0; request < 50; request++) {
      const { models } = await driveRequest(bench, {}, (model) =>
        model === "a" ? "server_error" : "answers",
      );
      fallbackCount += models.length - 1;
    }
    expect(fallbackCount).to.be.within(9, 10);
  });

  it("is not spent on failures after which there is nothing to try", async () => {
    const budgets = { ...empty, extra: { ratio: 0.1, perSecond: 0 } };
    const models = [sampleModel("alone"), sampleModel("a"), sampleModel("b")];
    const bench = new RouterBench(models, { failureThreshold: 1_000, routing: { budgets } });
    for (let request = 0; request < 25; request++) {
      await driveRequest(bench, { target: { kind: "model", model: "alone" } }, () => "server_error");
    }
    const chain = { target: { kind: "automatic" } } as const;
    const { models: asked } = await driveRequest(bench, chain, (model) =>
      model === "a" ? "answers" : "server_error",
    );
    expect(asked).to.deep.equal(["alone", "a"]);
  });
});
