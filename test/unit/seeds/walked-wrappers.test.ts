import { expect } from "chai";
import type { Targets } from "../../../src/domain/targets.ts";
import { driveRequest, driveWell } from "../../router/drive-request.ts";
import { RouterBench } from "../../support/router-bench.ts";
import { sampleModel } from "../../support/sample-catalog.ts";
import { sampleAlias, sampleGroup, samplePool } from "../core/candidates/sample-targets.ts";

/** As in the seed's fast_group: three echelons of two providers, and a standby group. */
const MODELS = [
  sampleModel("openai-gpt4", { providers: ["openai"] }),
  sampleModel("anthropic-claude-3-opus", { providers: ["anthropic"] }),
  sampleModel("openai-gpt35", { providers: ["openai"] }),
  sampleModel("claude-haiku", { providers: ["anthropic"] }),
  sampleModel("plan-model", { providers: ["openai"] }),
];
const ECHELONS = [["openai-gpt4"], ["openai-gpt35", "anthropic-claude-3-opus"], ["claude-haiku"]];
const FAST = { target: { kind: "named", name: "fast_group" } } as const;

type Fallback = NonNullable<Parameters<typeof sampleGroup>[2]>["fallback"];

function groupBench(fallback: Fallback, targets: Partial<Targets> = {}): RouterBench {
  const groups = [
    sampleGroup("fast_group", ECHELONS, { rotation: "fixed", fallback: { retryDelayMs: 0, ...fallback } }),
    sampleGroup("plan_group", [["plan-model"]], { rotation: "fixed" }),
  ];
  return new RouterBench(MODELS, { targets: { groups, ...targets } });
}

const failing = () => "server_error" as const;

describe("seed 001, 任务组降级, walked", () => {
  it("层级降级 (echelon_down): 同任务组内降级到下一层级 — after a failure the next echelon answers", async () => {
    const bench = groupBench({ strategy: "echelon_down" });
    const { models } = await driveRequest(bench, FAST, failing);
    expect(models).to.deep.equal(["openai-gpt4", "openai-gpt35", "claude-haiku"]);
  });

  it("任务组切换 (task_group_switch): 切换到备用任务组 — after a failure the standby group answers", async () => {
    const bench = groupBench({ strategy: "task_group_switch", targets: ["plan_group"] });
    const { models, consumer } = await driveRequest(bench, FAST, (model) =>
      model === "plan-model" ? "answers" : "server_error",
    );
    expect(models).to.deep.equal(["openai-gpt4", "plan-model"]);
    expect(consumer.log.at(-1)).to.equal("finished openai/plan-model");
  });

  it("提供商故障转移 (provider_failover): 跨提供商故障转移 — after a failure another provider answers", async () => {
    const bench = groupBench({ strategy: "provider_failover" });
    const { deployments } = await driveRequest(bench, FAST, failing);
    expect(deployments.slice(0, 2)).to.deep.equal([
      "openai/openai-gpt4",
      "anthropic/anthropic-claude-3-opus",
    ]);
  });

  it("max_attempts: 3 — a request makes that many attempts through the group, not the service's own number", async () => {
    for (const maxAttempts of [1, 2]) {
      const { models, consumer } = await driveRequest(groupBench({ maxAttempts }), FAST, failing);
      expect(models).to.have.length(maxAttempts);
      expect(consumer.error?.failed?.attempts).to.have.length(maxAttempts);
    }
  });

  it("retry_delay: 1.0 — each further attempt waits for a second", async () => {
    const { atMs } = await driveRequest(groupBench({ retryDelayMs: 1_000 }), FAST, failing);
    expect(atMs).to.deep.equal([0, 1_000, 2_000]);
  });

  it("轮询 within an echelon: nobody loses a turn by the delay before it", async () => {
    const rotation = "round_robin";
    const groups = [sampleGroup("fast_group", ECHELONS, { rotation, fallback: { retryDelayMs: 300 } })];
    const bench = new RouterBench(MODELS, { targets: { groups } });
    const second: (string | undefined)[] = [];
    for (let request = 0; request < 2; request++) {
      const { models } = await driveRequest(bench, FAST, (model) =>
        model === "openai-gpt4" ? "server_error" : "answers",
      );
      second.push(models[1]);
    }
    expect(second).to.deep.equal(["openai-gpt35", "anthropic-claude-3-opus"]);
  });

  it("circuit_breaker: failure_threshold 5, recovery_time 60, half_open_requests 1 — for the group's own use", async () => {
    const breaker = {
      kind: "counting",
      failureThreshold: 5,
      recoveryTimeMs: 60_000,
      halfOpenRequests: 1,
    } as const;
    const bench = groupBench({ breaker });
    const gpt4Fails = (model: string) => (model === "openai-gpt4" ? "server_error" : "answers");
    for (let failure = 0; failure < 5; failure++) await driveRequest(bench, FAST, gpt4Fails);
    expect(await driveWell(bench, FAST, 2)).to.deep.equal(["openai-gpt35", "openai-gpt35"]);
    await bench.clock.advance(60_000);
    expect(await driveWell(bench, FAST, 2)).to.deep.equal(["openai-gpt4", "openai-gpt4"]);
  });

  it("fallback_groups: [fast_group.echelon2, fast_group.echelon3] — the wrapper fast_group.echelon1 falls to what it names", async () => {
    const bench = groupBench(
      { targets: ["fast_group.echelon2", "fast_group.echelon3"] },
      { aliases: [sampleAlias("fast_wrapper", "fast_group.echelon1")] },
    );
    const { models } = await driveRequest(
      bench,
      { target: { kind: "named", name: "fast_wrapper" } },
      failing,
    );
    expect(models).to.deep.equal(["openai-gpt4", "openai-gpt35", "claude-haiku"]);
  });

  it("降级历史记录 — the history of fallbacks and 总请求数, 成功率 are told for the group and its echelons", async () => {
    const bench = groupBench({});
    await driveRequest(bench, FAST, (model) => (model === "openai-gpt4" ? "timeout" : "answers"));
    const { scopes } = bench.routing.metrics.snapshot([]);
    const group = scopes.find(({ scope }) => scope === "group fast_group");
    expect(group).to.include({
      totalRequestCount: 1,
      successfulRequestCount: 1,
      fallbackCount: 1,
      healthyInstanceCount: 4,
      totalInstanceCount: 4,
    });
    expect(group?.fallbacks[0]).to.include({
      from: "openai/openai-gpt4",
      to: "openai/openai-gpt35",
      outcome: "timeout",
    });
    for (const echelon of ["echelon1", "echelon2"]) {
      const found = scopes.find(({ scope }) => scope === `echelon fast_group.${echelon}`);
      expect(found?.totalRequestCount, echelon).to.equal(1);
    }
  });
});

const INSTANCES = ["i1", "i2", "i3"].map((name) => sampleModel(name));
const POOL = { target: { kind: "named", name: "fast_pool" } } as const;

function poolBench(changes: Parameters<typeof samplePool>[2]): RouterBench {
  const groups = [sampleGroup("fast_group", [["i1", "i2"], ["i3"]])];
  const pools = [samplePool("fast_pool", ["fast_group"], changes)];
  return new RouterBench(INSTANCES, { targets: { groups, pools } });
}

describe("seed 001, 轮询池降级, walked", () => {
  it("实例旋转 (instance_rotation): 直接从轮询池中取出新的实例 — a failure takes a new instance, max_instance_attempts 2", async () => {
    const fallback = { strategy: "instance_rotation", maxInstanceAttempts: 2 } as const;
    const { models } = await driveRequest(poolBench({ fallback }), POOL, failing);
    expect(models).to.deep.equal(["i1", "i2"]);
  });

  it("简单重试 (simple_retry): 在同一个实例上简单重试 — a failure tries the same instance again", async () => {
    const fallback = { strategy: "simple_retry", maxInstanceAttempts: 3 } as const;
    const { models, consumer } = await driveRequest(poolBench({ fallback }), POOL, failing);
    expect(models).to.deep.equal(["i1", "i1", "i1"]);
    expect(consumer.error?.failed?.attempts.map(({ purpose }) => purpose)).to.deep.equal([
      "first",
      "retry",
      "retry",
    ]);
  });

  it("rotation_strategy: round_robin — 轮询, each in its turn, and nobody loses a turn by a fallback", async () => {
    const bench = poolBench({ rotation: "round_robin" });
    expect(await driveWell(bench, POOL, 4)).to.deep.equal(["i1", "i2", "i3", "i1"]);
    const { models } = await driveRequest(bench, POOL, (model) =>
      model === "i2" ? "server_error" : "answers",
    );
    expect(models).to.deep.equal(["i2", "i3"]);
    expect(await driveWell(bench, POOL, 2)).to.deep.equal(["i1", "i2"]);
  });

  it("rotation_strategy: least_recently_used — whoever was idle for longest, uses by other targets included", async () => {
    const bench = poolBench({ rotation: "least_recently_used" });
    expect(await driveWell(bench, { target: { kind: "model", model: "i1" } }, 1)).to.deep.equal(["i1"]);
    expect(await driveWell(bench, POOL, 4)).to.deep.equal(["i2", "i3", "i1", "i2"]);
  });

  it("rotation_strategy: weighted — in proportion to the weights", async () => {
    const bench = poolBench({ rotation: "weighted", weights: { i1: 3, i2: 2 } });
    const taken = await driveWell(bench, POOL, 12);
    expect(["i1", "i2", "i3"].map((name) => taken.filter((one) => one === name).length)).to.deep.equal([
      6, 4, 2,
    ]);
  });

  it("failure_threshold: 3, recovery_time: 60 — the pool's breaker opens for the pool, and for nobody else", async () => {
    const bench = poolBench({
      rotation: "fixed",
      breaker: { kind: "counting", failureThreshold: 2, recoveryTimeMs: 60_000, halfOpenRequests: 1 },
    });
    const i1Fails = (model: string) => (model === "i1" ? "server_error" : "answers");
    for (let failure = 0; failure < 2; failure++) await driveRequest(bench, POOL, i1Fails);
    expect(await driveWell(bench, POOL, 2)).to.deep.equal(["i2", "i2"]);
    expect(await driveWell(bench, { target: { kind: "model", model: "i1" } }, 1)).to.deep.equal(["i1"]);
    expect(await driveWell(bench, POOL, 1)).to.deep.equal(["i2"]);
    await bench.clock.advance(60_000);
    expect(await driveWell(bench, POOL, 2)).to.deep.equal(["i1", "i1"]);
  });

  it("健康实例数, 总实例数 — healthy and total instances of the pool", async () => {
    const bench = poolBench({ rotation: "fixed" });
    for (let failure = 0; failure < 3; failure++) {
      await driveRequest(bench, POOL, (model) => (model === "i1" ? "network" : "answers"));
    }
    const pool = bench.routing.metrics.snapshot([]).scopes.find(({ scope }) => scope === "pool fast_pool");
    expect(pool).to.include({ healthyInstanceCount: 2, totalInstanceCount: 3, totalRequestCount: 3 });
  });
});
