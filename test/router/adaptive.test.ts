import { expect } from "chai";
import type { DeploymentMetrics } from "../../src/domain/metrics.ts";
import { type BenchChanges, RouterBench } from "../support/router-bench.ts";
import { sampleModel, sampleRequest } from "../support/sample-catalog.ts";
import { driveRequest, driveWell } from "./drive-request.ts";

/** Deployments p/a, q/b and p/c, asked in this order while they are well; the adaptive breaker. */
function makeBench({ routing, ...changes }: BenchChanges = {}): RouterBench {
  const models = Object.entries({ a: "p", b: "q", c: "p" }).map(([name, provider]) =>
    sampleModel(name, { providers: [provider] }),
  );
  return new RouterBench(models, { ...changes, routing: { breaker: { kind: "adaptive" }, ...routing } });
}

function read(bench: RouterBench, model: string): DeploymentMetrics {
  const [found] = bench.routing.metrics.snapshot([model]).models[0]?.deployments ?? [];
  if (found === undefined) throw new Error(`there is no model ${model}`);
  return found;
}

/** Lets a die: requests come every 100 ms until none of them asks it. Returns how many failed there. */
async function killA(
  bench: RouterBench,
  failureClass: "server_error" | "network" = "server_error",
): Promise<number> {
  for (let failureCount = 0; failureCount < 20; failureCount++) {
    const { models } = await driveRequest(bench, {}, (model) => (model === "a" ? failureClass : "answers"));
    if (!models.includes("a")) return failureCount;
    await bench.clock.advance(100);
  }
  throw new Error("a never stopped getting traffic");
}

describe("a deployment that dies", () => {
  it("gets no more traffic after four failures at the most, and no request fails", async () => {
    const bench = makeBench();
    await driveWell(bench, {}, 20);
    expect(await killA(bench)).to.be.at.most(4);
    expect(read(bench, "a").breakerState).to.equal("open");
    expect(bench.requests.failedCount).to.equal(0);
  });

  it("gets it back within seconds of recovering: one probe at a time, two good ones, then a growing share", async () => {
    const bench = makeBench();
    await killA(bench);
    const { nextProbeDelayMs = 0 } = read(bench, "a");
    expect(nextProbeDelayMs).to.be.within(1, 1_250);
    await bench.clock.advance(nextProbeDelayMs);
    for (const state of ["half_open", "closed"]) {
      const probe = bench.route();
      const beside = bench.route();
      expect([probe, beside].map(({ consumer }) => consumer.log[0])).to.deep.equal([
        "started p/a",
        "started q/b",
      ]);
      bench.provider("p").last.complete();
      bench.provider("q").last.complete();
      expect(read(bench, "a").breakerState).to.equal(state);
    }
    const shares: number[] = [];
    for (const _ of [0, 5, 10]) {
      const models = await driveWell(bench, {}, 100);
      shares.push(models.filter((model) => model === "a").length);
      await bench.clock.advance(5_000);
    }
    expect(shares[0]).to.be.within(2, 25);
    expect(shares[1]).to.be.within(35, 65);
    expect(shares[2]).to.equal(100);
  });

  it("stays out longer each time a probe fails", async () => {
    const bench = makeBench();
    await killA(bench);
    const delaysMs: number[] = [];
    for (let probe = 0; probe < 4; probe++) {
      const { nextProbeDelayMs = 0 } = read(bench, "a");
      delaysMs.push(nextProbeDelayMs);
      await bench.clock.advance(nextProbeDelayMs);
      const { models } = await driveRequest(bench, {}, (model) =>
        model === "a" ? "server_error" : "answers",
      );
      expect(models).to.deep.equal(["a", "b"]);
    }
    expect(delaysMs).to.deep.equal(delaysMs.toSorted((x, y) => x - y));
    expect(delaysMs[3]).to.be.above(5_000);
  });

  it("is not killed by a request's last attempt or a fallback: those are no probes", async () => {
    const bench = makeBench({ maxAttempts: 1 });
    await killA(bench).catch(() => {});
    await bench.clock.advance(read(bench, "a").nextProbeDelayMs ?? 0);
    expect(bench.route().consumer.log).to.deep.equal(["started q/b"]);
  });

  it("can be enabled by an operator at once", async () => {
    const bench = makeBench();
    await killA(bench);
    expect(bench.routing.operations.resetPerformance("a")).to.deep.equal({ deployments: ["p/a"] });
    expect(read(bench, "a").breakerState).to.equal("closed");
    expect(await driveWell(bench, {}, 3)).to.deep.equal(["a", "a", "a"]);
  });
});

describe("a provider that asks for peace", () => {
  it("is left alone for its Retry-After, and its health does not suffer", async () => {
    const bench = makeBench();
    await driveWell(bench, {}, 5);
    const before = read(bench, "a");
    bench.route();
    bench.provider("p").last.fail("rate_limit", { retryAfterMs: 5_000 });
    bench.provider("q").last.complete();
    const after = read(bench, "a");
    expect(after).to.include({ breakerState: "closed", consecutiveFailureCount: 0 });
    expect(after.healthScore).to.be.closeTo(before.healthScore, 1e-9);
    expect(after.evidence.cooldownMs).to.equal(5_000);
    await bench.clock.advance(4_999);
    expect(await driveWell(bench, {}, 1)).to.deep.equal(["b"]);
    await bench.clock.advance(1);
    expect(await driveWell(bench, {}, 1)).to.deep.equal(["a"]);
  });

  it("is heeded by requests that waited for a place there", () => {
    const bench = new RouterBench([sampleModel("a", { concurrencyLimit: 1 })]);
    bench.route();
    const { consumer } = bench.route();
    bench.provider("a-provider").last.fail("rate_limit", { retryAfterMs: 5_000 });
    expect(bench.provider("a-provider").attempts).to.have.length(1);
    expect(consumer.error).to.include({ reason: "UPSTREAM_RATE_LIMITED", retryAfterMs: 5_000 });
  });

  it("tells the caller when to come back where it is the only one", () => {
    const bench = new RouterBench([sampleModel("a")]);
    bench.route();
    bench.provider("a-provider").last.fail("rate_limit", { retryAfterMs: 5_000 });
    expect(bench.route().consumer.error).to.include({ reason: "UPSTREAM_RATE_LIMITED", retryAfterMs: 5_000 });
  });
});

describe("a credential that is refused", () => {
  for (const [failureClass, reason] of [
    ["auth", "UPSTREAM_AUTH"],
    ["quota_exhausted", "UPSTREAM_QUOTA_EXHAUSTED"],
  ] as const) {
    it(`${failureClass}: every deployment of the provider is skipped, until an operator resets one`, async () => {
      const bench = makeBench();
      const { models } = await driveRequest(bench, {}, (model) => (model === "a" ? failureClass : "answers"));
      expect(models).to.deep.equal(["a", "b"]);
      await bench.clock.advance(200);
      for (const model of ["a", "c"]) {
        const { error } = bench.route({ target: { kind: "model", model } }).consumer;
        expect(error?.reason, model).to.equal(reason);
      }
      expect(read(bench, "a").evidence.credentialDisabledMs).to.equal(899_800);
      expect(read(bench, "a").breakerState).to.equal("closed");
      bench.routing.operations.resetPerformance("p/c");
      await bench.clock.advance(200);
      expect(await driveWell(bench, {}, 1)).to.deep.equal(["a"]);
    });
  }

  it("is tried again after a quarter of an hour", async () => {
    const bench = makeBench();
    await driveRequest(bench, {}, (model) => (model === "a" ? "auth" : "answers"));
    await bench.clock.advance(899_999);
    expect(await driveWell(bench, {}, 1)).to.deep.equal(["b"]);
    await bench.clock.advance(1);
    expect(await driveWell(bench, {}, 1)).to.deep.equal(["a"]);
  });
});

describe("a model that its provider does not have", () => {
  it("is set aside for ten minutes, the provider's other models are not", async () => {
    const bench = makeBench();
    await driveRequest(bench, {}, (model) => (model === "a" ? "model_unavailable" : "answers"));
    await bench.clock.advance(599_999);
    expect(await driveWell(bench, {}, 1)).to.deep.equal(["b"]);
    expect(await driveWell(bench, { target: { kind: "model", model: "c" } }, 1)).to.deep.equal(["c"]);
    await bench.clock.advance(1);
    expect(await driveWell(bench, {}, 1)).to.deep.equal(["a"]);
  });
});

describe("a target of which every model is set aside", () => {
  it("is unavailable until they are tried again, and the caller is told when", async () => {
    const bench = new RouterBench([sampleModel("a")]);
    const named = { target: { kind: "model", model: "a" } } as const;
    await driveRequest(bench, {}, () => "model_unavailable");
    const refused = await driveRequest(bench, {}, () => "answers");
    expect(refused.models).to.deep.equal([]);
    expect(refused.consumer.error).to.include({ reason: "MODEL_UNAVAILABLE", retryAfterMs: 600_000 });
    const { error } = (await driveRequest(bench, named, () => "answers")).consumer;
    expect(error).to.include({ reason: "NAMED_MODEL_UNAVAILABLE", retryAfterMs: 600_000 });
    expect(error?.metadata).to.deep.equal({ model: "a" });
    expect(bench.routing.advisor.explain(sampleRequest(named)).error).to.deep.equal(error);
  });
});

describe("performance_tracking: false", () => {
  it("learns neither success nor speed, and still opens breakers", async () => {
    for (const performanceTracking of [true, false]) {
      const bench = makeBench({ routing: { performanceTracking } });
      const before = read(bench, "a").evidence;
      for (let request = 0; request < 10; request++) {
        bench.route();
        await bench.clock.advance(1_700);
        bench.provider("p").last.text("x");
        bench.provider("p").last.complete();
      }
      const { evidence } = read(bench, "a");
      const hasLearnt = evidence.timeToFirstTokenMs !== before.timeToFirstTokenMs;
      expect(hasLearnt).to.equal(performanceTracking);
      expect(await killA(bench)).to.be.within(3, 6);
      expect(read(bench, "a").evidence.successRatio === before.successRatio).to.equal(!performanceTracking);
    }
  });
});
