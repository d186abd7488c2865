import { expect } from "chai";
import { type BenchChanges, RouterBench } from "../support/router-bench.ts";
import { sampleModel } from "../support/sample-catalog.ts";

const HEDGING = { enabled: true, minDelayMs: 800 } as const;
/** Nothing is known of a new deployment: its first token is waited for about this long. */
const UNMEASURED_MS = 3_300;

/** Deployments a, b and c in this order, with hedges on. */
function makeBench({ routing, ...changes }: BenchChanges = {}): RouterBench {
  const models = ["a", "b", "c"].map((name) => sampleModel(name));
  return new RouterBench(models, { ...changes, routing: { hedging: HEDGING, ...routing } });
}

/** Lets `a` answer so often after `delayMs` that its usual time is known. */
async function measure(bench: RouterBench, delayMs: number): Promise<void> {
  for (let answer = 0; answer < 60; answer++) {
    bench.route();
    await bench.clock.advance(delayMs);
    bench.provider("a-provider").last.text("x");
    bench.provider("a-provider").last.complete();
  }
}

function countAttempts(bench: RouterBench, name: string): number {
  return bench.provider(`${name}-provider`).attempts.length;
}

function listOutcomes(bench: RouterBench): readonly string[] {
  return bench.settled.map(({ deployment, outcome, purpose }) => `${deployment.model} ${purpose} ${outcome}`);
}

describe("when a hedge is sent", () => {
  it("waits for the usual time to the first token where that is more than the least delay", async () => {
    const bench = makeBench();
    await measure(bench, 1_500);
    // The last of these answers may have been hedged at the very moment at which they came.
    const before = countAttempts(bench, "b");
    bench.route();
    await bench.clock.advance(1_400);
    expect(countAttempts(bench, "b")).to.equal(before);
    await bench.clock.advance(300);
    expect(countAttempts(bench, "b")).to.equal(before + 1);
  });

  it("waits for the least delay where the usual time is less", async () => {
    const bench = makeBench();
    await measure(bench, 50);
    bench.route();
    await bench.clock.advance(799);
    expect(countAttempts(bench, "b")).to.equal(0);
    await bench.clock.advance(1);
    expect(countAttempts(bench, "b")).to.equal(1);
  });

  it("goes to another deployment, is told to nobody yet, and is the only one", async () => {
    const bench = makeBench();
    const { consumer } = bench.route();
    await bench.clock.advance(4_900);
    expect(consumer.log).to.deep.equal(["started a-provider/a"]);
    expect(["a", "b", "c"].map((name) => countAttempts(bench, name))).to.deep.equal([1, 1, 0]);
  });

  it("is not sent once a first token has come", async () => {
    const bench = makeBench();
    const { consumer } = bench.route();
    await bench.clock.advance(700);
    bench.provider("a-provider").last.text("x");
    await bench.clock.advance(1_000);
    bench.provider("a-provider").last.text("y");
    await bench.clock.advance(1_000);
    bench.provider("a-provider").last.complete();
    expect(consumer.log.at(-1)).to.equal("finished a-provider/a");
    expect(countAttempts(bench, "b")).to.equal(0);
  });

  it("is sent although the provider has told its usage, which is no token", async () => {
    const bench = makeBench();
    bench.route();
    bench.provider("a-provider").last.events({ kind: "usage", usage: { inputTokens: 1 } });
    await bench.clock.advance(UNMEASURED_MS);
    expect(countAttempts(bench, "b")).to.equal(1);
  });

  const refusals: readonly { title: string; changes: BenchChanges; priority?: "cost"; timeoutMs?: number }[] =
    [
      { title: "hedges are off", changes: { routing: { hedging: { ...HEDGING, enabled: false } } } },
      {
        title: "its budget is empty",
        changes: {
          routing: {
            budgets: { extra: { ratio: 1, perSecond: 100 }, hedges: { ratio: 0, perSecond: 0 } },
          },
        },
      },
      { title: "cost comes first", changes: {}, priority: "cost" },
      { title: "one attempt is all there may be", changes: { maxAttempts: 1 } },
      { title: "the deadline comes before it", changes: {}, timeoutMs: 1_000 },
    ];
  for (const { title, changes, priority, timeoutMs } of refusals) {
    it(`is not sent when ${title}`, async () => {
      const bench = makeBench(changes);
      bench.route(priority === undefined ? {} : { priority }, timeoutMs);
      // Less than the 5 s after which the first attempt itself is given up.
      await bench.clock.advance(4_900);
      expect(bench.settled.filter(({ purpose }) => purpose === "hedge")).to.deep.equal([]);
      expect(countAttempts(bench, "b") + countAttempts(bench, "c")).to.equal(0);
    });
  }

  it("spends its budget only when it is sent", async () => {
    const budgets = { extra: { ratio: 1, perSecond: 100 }, hedges: { ratio: 0.5, perSecond: 0 } };
    // Without learning, silence makes no later one usual.
    const bench = makeBench({ routing: { budgets, performanceTracking: false } });
    for (const hedgeCount of [0, 1, 1, 2]) {
      const { handle } = bench.route();
      await bench.clock.advance(UNMEASURED_MS);
      expect(countAttempts(bench, "b")).to.equal(hedgeCount);
      handle.cancel("caller_gone");
    }
  });

  it("is not sent to a deployment that is full, and leaves nothing behind there", async () => {
    const models = [sampleModel("a"), sampleModel("b", { concurrencyLimit: 1 })];
    const bench = new RouterBench(models, { routing: { hedging: HEDGING } });
    const first = bench.route();
    await bench.clock.advance(UNMEASURED_MS);
    expect(countAttempts(bench, "b")).to.equal(1);
    const second = bench.route();
    await bench.clock.advance(1_900);
    expect(countAttempts(bench, "b")).to.equal(1);
    const { limit } = bench.deployments.entry(bench.provider("b-provider").last.call.deployment);
    expect(limit).to.include({ inUseCount: 1, waitingCount: 0 });
    for (const { handle } of [first, second]) handle.cancel("caller_gone");
    expect(limit.inUseCount).to.equal(0);
  });
});

describe("the race of a hedge with the first attempt", () => {
  async function race(changes: BenchChanges = {}) {
    const bench = makeBench(changes);
    const { consumer, handle } = bench.route({ explain: true });
    await bench.clock.advance(UNMEASURED_MS);
    const [first, hedge] = ["a", "b"].map((name) => bench.provider(`${name}-provider`).last);
    if (first === undefined || hedge === undefined) throw new Error("no race");
    return { bench, consumer, handle, first, hedge };
  }

  it("tells a winning hedge as a switch, aborts the first one and settles it as superseded", async () => {
    const { bench, consumer, first, hedge } = await race();
    hedge.text("hi");
    expect(first.aborted).to.equal(true);
    first.text("late");
    hedge.complete();
    expect(consumer.log).to.deep.equal([
      "started a-provider/a",
      "switched 2 b-provider/b after superseded",
      "events 2 hi",
      "finished b-provider/b",
    ]);
    expect(listOutcomes(bench)).to.deep.equal(["a first superseded", "b hedge success"]);
    expect(consumer.result?.attempts).to.have.length(2);
    expect(bench.clock.pendingCount).to.equal(0);
  });

  it("says nothing of a hedge that loses, aborts it and settles it as superseded", async () => {
    const { bench, consumer, first, hedge } = await race();
    first.text("hi");
    expect(hedge.aborted).to.equal(true);
    first.complete();
    expect(consumer.log).to.deep.equal(["started a-provider/a", "events 1 hi", "finished a-provider/a"]);
    expect(listOutcomes(bench)).to.deep.equal(["b hedge superseded", "a first success"]);
    expect(bench.clock.pendingCount).to.equal(0);
  });

  it("goes on with the hedge when the first one fails, and tells the failure when it wins", async () => {
    const { bench, consumer, first, hedge } = await race();
    first.fail("server_error");
    expect(consumer.log).to.deep.equal(["started a-provider/a"]);
    expect(countAttempts(bench, "c")).to.equal(0);
    hedge.text("hi");
    hedge.complete();
    expect(consumer.log.slice(1)).to.deep.equal([
      "switched 2 b-provider/b after server_error",
      "events 2 hi",
      "finished b-provider/b",
    ]);
  });

  for (const firstFails of [false, true]) {
    const before = firstFails ? "server_error" : "superseded";
    it(`tells an empty answer of the hedge as a switch after ${before}`, async () => {
      const { consumer, first, hedge } = await race();
      if (firstFails) first.fail("server_error");
      hedge.complete();
      expect(consumer.log.slice(1)).to.deep.equal([
        `switched 2 b-provider/b after ${before}`,
        "finished b-provider/b",
      ]);
    });
  }

  it("tries the next one only when both have failed", async () => {
    const { bench, consumer, first, hedge } = await race();
    hedge.fail("network");
    expect(countAttempts(bench, "c")).to.equal(0);
    first.fail("server_error");
    expect(consumer.log.at(-1)).to.equal("switched 3 c-provider/c after server_error");
    bench.provider("c-provider").last.complete();
    expect(listOutcomes(bench)).to.deep.equal([
      "b hedge network",
      "a first server_error",
      "c fallback success",
    ]);
  });

  it("ends when both have failed and no further attempt may be made", async () => {
    const { bench, consumer, first, hedge } = await race({ maxAttempts: 2 });
    first.fail("server_error");
    hedge.fail("overloaded");
    expect(consumer.error?.reason).to.equal("UPSTREAM_OVERLOADED");
    expect(consumer.error?.failed?.attempts).to.have.length(2);
    expect(bench.clock.pendingCount).to.equal(0);
  });

  it("aborts both when the caller leaves", async () => {
    const { bench, consumer, handle, first, hedge } = await race();
    handle.cancel("caller_gone");
    expect([first.aborted, hedge.aborted]).to.deep.equal([true, true]);
    expect(listOutcomes(bench)).to.deep.equal(["a first cancelled", "b hedge cancelled"]);
    expect(consumer.error?.failed?.attempts).to.have.length(2);
    expect(bench.clock.pendingCount).to.equal(0);
  });

  it("never switches again once the hedge has begun to answer", async () => {
    const { consumer, hedge, bench } = await race();
    hedge.text("half");
    hedge.fail("stream_interrupted");
    expect(consumer.error?.reason).to.equal("STREAM_INTERRUPTED");
    expect(countAttempts(bench, "c")).to.equal(0);
  });

  it("explains each attempt once, in their order", async () => {
    const { consumer, first, hedge, bench } = await race();
    hedge.fail("network");
    first.fail("server_error");
    bench.provider("c-provider").last.complete();
    const chosen = consumer.result?.decisions.map(({ attemptNumber, candidates }) => [
      attemptNumber,
      candidates.find((candidate) => candidate.chosen)?.deployment.model,
    ]);
    expect(chosen).to.deep.equal([
      [1, "a"],
      [2, "b"],
      [3, "c"],
    ]);
  });
});

describe("a deployment that hangs while hedges win", () => {
  it("is found out all the same: its breaker opens, and it is asked no more", async () => {
    const bench = makeBench({ routing: { breaker: { kind: "adaptive" } } });
    let askedCount = 0;
    for (let request = 0; request < 12; request++) {
      bench.route();
      await bench.clock.advance(UNMEASURED_MS);
      askedCount = countAttempts(bench, "a");
      const answering = ["b", "c"].map((name) => bench.provider(`${name}-provider`));
      for (const { attempts } of answering) {
        const attempt = attempts.at(-1);
        if (attempt === undefined || attempt.aborted) continue;
        attempt.text("hi");
        attempt.complete();
      }
      if (bench.routing.metrics.snapshot(["a"]).models[0]?.deployments[0]?.breakerState === "open") break;
    }
    expect(askedCount).to.be.at.most(6);
    expect(bench.route().consumer.log).to.deep.equal(["started b-provider/b"]);
  });
});

describe("a deployment that is silent", () => {
  it("is left alone once some attempts were silent for too long, before any of them times out", async () => {
    const hedging = { enabled: false, minDelayMs: 800 };
    const bench = makeBench({ routing: { breaker: { kind: "adaptive" }, hedging } });
    await measure(bench, 100);
    for (let request = 0; request < 10; request++) {
      bench.route();
      await bench.clock.advance(200);
    }
    await bench.clock.advance(500);
    expect(bench.settled.filter(({ outcome }) => outcome !== "success")).to.deep.equal([]);
    const { consumer } = bench.route();
    expect(consumer.log).to.deep.equal(["started b-provider/b"]);
  });
});

describe("where a hedge goes", () => {
  it("prefers another provider to one more deployment of the silent one's", async () => {
    const models = [
      sampleModel("a", { providers: ["p"] }),
      sampleModel("b", { providers: ["p"] }),
      sampleModel("c", { providers: ["q"] }),
    ];
    const bench = new RouterBench(models, { routing: { hedging: HEDGING } });
    bench.route();
    await bench.clock.advance(UNMEASURED_MS);
    expect(bench.provider("q").attempts).to.have.lengthOf(1);
    expect(bench.provider("p").attempts).to.have.lengthOf(1);
  });
});
