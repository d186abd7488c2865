import { expect } from "chai";
import type { EchelonSettings, Targets } from "../../src/domain/targets.ts";
import { type BenchChanges, RouterBench } from "../support/router-bench.ts";
import { sampleModel } from "../support/sample-catalog.ts";
import type { ScriptedAttempt } from "../support/scripted-provider.ts";
import { sampleGroup } from "../unit/core/candidates/sample-targets.ts";
import { driveRequest, driveWell } from "./drive-request.ts";

const FAST = { target: { kind: "named", name: "fast" } } as const;

/** The group fast: a in its first echelon, under limits; b in its second, unless it is to be alone. */
function makeBench(
  settings: EchelonSettings,
  changes: BenchChanges & { readonly alone?: boolean } = {},
): RouterBench {
  const group = sampleGroup("fast", [["a"], ["b"]], { rotation: "fixed", fallback: { retryDelayMs: 0 } });
  const echelons = group.echelons
    .slice(0, changes.alone === true ? 1 : 2)
    .map((echelon, index) => (index === 0 ? { ...echelon, settings } : echelon));
  const targets: Partial<Targets> = { groups: [{ ...group, echelons }] };
  return new RouterBench([sampleModel("a"), sampleModel("b")], { ...changes, targets });
}

function attemptsOf(bench: RouterBench, model: string): readonly ScriptedAttempt[] {
  return bench.provider(`${model}-provider`).attempts;
}

describe("an echelon's concurrency_limit", () => {
  it("sends the next request to the next echelon, and comes back when the place is free", () => {
    const bench = makeBench({ concurrencyLimit: 1 });
    bench.route(FAST);
    const second = bench.route(FAST);
    expect(second.consumer.log).to.deep.equal(["started b-provider/b"]);
    attemptsOf(bench, "a")[0]?.complete();
    expect(bench.route(FAST).consumer.log).to.deep.equal(["started a-provider/a"]);
  });

  it("lets requests wait in their order where there is no other echelon", () => {
    const bench = makeBench({ concurrencyLimit: 1 }, { alone: true });
    const routes = [bench.route(FAST), bench.route(FAST), bench.route(FAST)];
    for (let served = 1; served <= 3; served++) {
      expect(routes.filter(({ consumer }) => consumer.log.length > 0)).to.have.length(served);
      attemptsOf(bench, "a").at(-1)?.complete();
    }
    expect(bench.clock.pendingCount).to.equal(0);
  });

  it("refuses with RESOURCE_EXHAUSTED and a delay when the queue is full too", () => {
    const bench = makeBench({ concurrencyLimit: 1 }, { alone: true, maxWaitingAttempts: 1 });
    bench.route(FAST);
    bench.route(FAST);
    expect(bench.route(FAST).consumer.error).to.include({
      reason: "CONCURRENCY_LIMIT_REACHED",
      retryAfterMs: 1_000,
    });
  });

  it("says that nothing fits, not that it is full, where the full echelon could not serve anyway", () => {
    const bench = makeBench({ concurrencyLimit: 1 }, { alone: true, maxWaitingAttempts: 0 });
    bench.route(FAST);
    const { error } = bench.route({ ...FAST, taskType: "vision_analysis" }).consumer;
    expect(error?.reason).to.equal("NO_MODEL_MEETS_REQUIREMENTS");
    expect(error?.message).to.include("a takes no images");
  });

  it("counts only attempts through the echelon: the model itself stays free for others", () => {
    const bench = makeBench({ concurrencyLimit: 1 });
    bench.route(FAST);
    const { consumer } = bench.route({ target: { kind: "model", model: "a" } });
    expect(consumer.log).to.deep.equal(["started a-provider/a"]);
  });

  it("gives the place back however the attempt ends", async () => {
    const bench = makeBench({ concurrencyLimit: 1 });
    const ends: readonly ((attempt: ScriptedAttempt | undefined, cancel: () => void) => unknown)[] = [
      (attempt) => attempt?.fail("invalid_request"),
      (_attempt, cancel) => cancel(),
      () => bench.clock.advance(30_000),
    ];
    for (const end of ends) {
      const { consumer, handle } = bench.route(FAST);
      expect(consumer.log).to.deep.equal(["started a-provider/a"]);
      await end(attemptsOf(bench, "a").at(-1), () => handle.cancel("caller_gone"));
    }
  });
});

describe("an echelon's rpm_limit", () => {
  it("sends what is more to the next echelon until a minute after the first has passed", async () => {
    const bench = makeBench({ rpmLimit: 2 });
    expect(await driveWell(bench, FAST, 4)).to.deep.equal(["a", "a", "b", "b"]);
    await bench.clock.advance(59_999);
    expect(await driveWell(bench, FAST, 1)).to.deep.equal(["b"]);
    await bench.clock.advance(1);
    expect(await driveWell(bench, FAST, 3)).to.deep.equal(["a", "a", "b"]);
  });

  it("refuses where there is no other echelon, and says when to come back", async () => {
    const bench = makeBench({ rpmLimit: 1 }, { alone: true });
    await driveWell(bench, FAST, 1);
    await bench.clock.advance(20_000);
    expect(bench.route(FAST).consumer.error).to.include({
      reason: "UPSTREAM_RATE_LIMITED",
      retryAfterMs: 40_000,
    });
  });

  it("holds for requests that waited for a place as well", async () => {
    const bench = makeBench({ concurrencyLimit: 1, rpmLimit: 2 }, { alone: true, maxWaitingAttempts: 5 });
    const routes = [bench.route(FAST), bench.route(FAST), bench.route(FAST)];
    attemptsOf(bench, "a")[0]?.complete();
    attemptsOf(bench, "a")[1]?.complete();
    expect(attemptsOf(bench, "a")).to.have.length(2);
    expect(routes[2]?.consumer.error).to.include({ reason: "UPSTREAM_RATE_LIMITED", retryAfterMs: 60_000 });
  });

  it("counts attempts that were made, not places that were of no use", async () => {
    const models = [sampleModel("a", { concurrencyLimit: 1 })];
    const echelons = [
      { name: "echelon1", priority: 1, models: ["a"], settings: { concurrencyLimit: 1, rpmLimit: 3 } },
    ];
    const groups = [sampleGroup("fast", [], { echelons, rotation: "fixed" })];
    const bench = new RouterBench(models, { targets: { groups }, maxWaitingAttempts: 5 });
    const routes = [bench.route(FAST), bench.route(FAST), bench.route(FAST)];
    for (let served = 0; served < 3; served++) attemptsOf(bench, "a")[served]?.complete();
    expect(routes.map(({ consumer }) => consumer.log.at(-1))).to.deep.equal(
      Array.from({ length: 3 }, () => "finished a-provider/a"),
    );
  });
});

describe("an echelon's settings of an attempt", () => {
  it("timeout: ends the attempt and goes down, though the service would wait longer", async () => {
    const bench = makeBench({ timeoutMs: 1_000 });
    const { consumer } = bench.route(FAST);
    await bench.clock.advance(1_000);
    expect(consumer.log.at(-1)).to.equal("switched 2 b-provider/b after timeout");
    await bench.clock.advance(1_000);
    expect(attemptsOf(bench, "b")[0]?.aborted).to.equal(false);
  });

  it("timeout: is for the whole attempt, so it cuts an answer that has begun", async () => {
    const bench = makeBench({ timeoutMs: 1_000 });
    const { consumer } = bench.route(FAST);
    attemptsOf(bench, "a")[0]?.text("x");
    await bench.clock.advance(1_000);
    expect(consumer.error?.reason).to.equal("STREAM_INTERRUPTED");
  });

  it("temperature and max_tokens: hold where the request names none, in this echelon only", async () => {
    const bench = makeBench({ temperature: 0.7, maxOutputTokens: 2_000 });
    const { sent } = await driveRequest(bench, FAST, (model) => (model === "a" ? "server_error" : "answers"));
    expect(sent.map(({ sampling }) => sampling)).to.deep.equal([
      { temperature: 0.7, maxOutputTokens: 2_000 },
      {},
    ]);
  });

  it("temperature and max_tokens: the request's own stand, but not beyond the echelon's tokens", async () => {
    const bench = makeBench({ temperature: 0.7, maxOutputTokens: 2_000 });
    for (const [asked, given] of [
      [100, 100],
      [5_000, 2_000],
    ]) {
      const { sent } = await driveRequest(
        bench,
        { ...FAST, sampling: { temperature: 0, ...(asked === undefined ? {} : { maxOutputTokens: asked }) } },
        () => "answers",
      );
      expect(sent[0]?.sampling).to.deep.equal({ temperature: 0, maxOutputTokens: given });
    }
  });

  it("max_retries: tries the same deployment again that often, where no other one can serve", async () => {
    for (const maxRetries of [0, 1, 2]) {
      const bench = makeBench({ maxRetries }, { alone: true });
      const { models } = await driveRequest(bench, FAST, () => "server_error");
      expect(models).to.have.length(1 + maxRetries);
    }
  });
});
