import { expect } from "chai";
import { resolveTarget } from "../../../src/core/candidates/resolve-target.ts";
import { listScopeMembers } from "../../../src/core/candidates/scope-members.ts";
import type { CandidateView } from "../../../src/core/choice/candidate-view.ts";
import { ScopeStatistics } from "../../../src/policies/scope-statistics.ts";
import { sampleModel } from "../../support/sample-catalog.ts";
import { sampleAlias, sampleGroup, samplePool, sampleTargets } from "../core/candidates/sample-targets.ts";
import { RouteWalk } from "./route-walk.ts";

/** Two providers; three echelons, as in the seed's fast_group, and a second group. */
const MODELS = [
  sampleModel("gpt4", { providers: ["openai"] }),
  sampleModel("claude-opus", { providers: ["anthropic"] }),
  sampleModel("gpt35", { providers: ["openai"] }),
  sampleModel("claude-haiku", { providers: ["anthropic"] }),
  sampleModel("plan-model", { providers: ["openai"] }),
];

const ECHELONS = [["gpt4"], ["gpt35", "claude-opus"], ["claude-haiku"]];

function groupWalk(fallback: NonNullable<Parameters<typeof sampleGroup>[2]>["fallback"]): RouteWalk {
  const groups = [
    sampleGroup("fast_group", ECHELONS, { rotation: "fixed", ...(fallback ? { fallback } : {}) }),
    sampleGroup("plan_group", [["plan-model"]], { rotation: "fixed" }),
  ];
  return new RouteWalk(sampleTargets(MODELS, { groups }), "fast_group");
}

describe("seed 001, 任务组降级 (fallback of task groups)", () => {
  it("层级降级 (echelon_down): 同任务组内降级到下一层级 — falls to the next echelon of the same group", () => {
    const walk = groupWalk({ strategy: "echelon_down" });
    expect(walk.failAll(3)).to.deep.equal(["gpt4", "gpt35", "claude-haiku"]);
  });

  it("任务组切换 (task_group_switch): 切换到备用任务组 — switches to the standby group", () => {
    const walk = groupWalk({ strategy: "task_group_switch", targets: ["plan_group"] });
    expect(walk.failAll(2)).to.deep.equal(["gpt4", "plan-model"]);
  });

  it("提供商故障转移 (provider_failover): 跨提供商故障转移 — fails over to another provider", () => {
    const walk = groupWalk({ strategy: "provider_failover" });
    const models = walk.failAll(2);
    expect(models[0]).to.equal("gpt4");
    expect(walk.providerOf(models[1] ?? "")).to.equal("anthropic");
  });

  it("fallback_groups: [fast_group.echelon2, fast_group.echelon3] — the wrapper's target falls to the echelons it names", () => {
    const groups = [
      sampleGroup("fast_group", ECHELONS, {
        rotation: "fixed",
        fallback: { targets: ["fast_group.echelon2", "fast_group.echelon3"] },
      }),
    ];
    const aliases = [sampleAlias("fast_wrapper", "fast_group.echelon1")];
    const walk = new RouteWalk(sampleTargets(MODELS, { groups, aliases }), "fast_wrapper");
    expect(walk.failAll(3)).to.deep.equal(["gpt4", "gpt35", "claude-haiku"]);
  });
});

const POOL_MODELS = ["i1", "i2", "i3"].map((name) => sampleModel(name));

function poolWalk(changes: Parameters<typeof samplePool>[2]): RouteWalk {
  const groups = [sampleGroup("fast_group", [["i1", "i2"], ["i3"]])];
  const pools = [samplePool("fast_pool", ["fast_group"], changes)];
  return new RouteWalk(sampleTargets(POOL_MODELS, { groups, pools }), "fast_pool");
}

describe("seed 001, 轮询池降级 (fallback of polling pools)", () => {
  it("实例旋转 (instance_rotation): 直接从轮询池中取出新的实例 — takes a new instance from the pool", () => {
    const walk = poolWalk({ fallback: { strategy: "instance_rotation", maxInstanceAttempts: 2 } });
    expect(walk.failAll(2)).to.deep.equal(["i1", "i2"]);
    expect(walk.set.maxAttempts).to.equal(2);
  });

  it("简单重试 (simple_retry): 在同一个实例上简单重试 — simply retries at the same instance", () => {
    const walk = poolWalk({ fallback: { strategy: "simple_retry", maxInstanceAttempts: 3 } });
    expect(walk.failAll(3)).to.deep.equal(["i1", "i1", "i1"]);
  });

  it("rotation_strategy: round_robin — 轮询 takes the instances in turn", () => {
    expect(poolWalk({ rotation: "round_robin" }).succeed(6)).to.deep.equal([
      "i1",
      "i2",
      "i3",
      "i1",
      "i2",
      "i3",
    ]);
  });

  it("rotation_strategy: least_recently_used — takes the instance that was idle for longest", () => {
    const walk = poolWalk({ rotation: "least_recently_used" });
    walk.rotation.noteUse(walk.idOf("i1"));
    expect(walk.succeed(3)).to.deep.equal(["i2", "i3", "i1"]);
  });

  it("rotation_strategy: weighted — takes the instances in proportion to their weights", () => {
    const walk = poolWalk({ rotation: "weighted", weights: { i1: 3, i2: 2 } });
    const taken = walk.succeed(60);
    expect(["i1", "i2", "i3"].map((name) => taken.filter((one) => one === name).length)).to.deep.equal([
      30, 20, 10,
    ]);
  });

  it("健康检查 (health check): an instance that is down is left out of the turn until it is back", () => {
    const walk = poolWalk({ rotation: "round_robin" });
    walk.change("i2", { breaker: "open", permitAvailable: false });
    expect(walk.succeed(4)).to.deep.equal(["i1", "i3", "i1", "i3"]);
    walk.change("i2", { breaker: "closed" });
    expect(walk.succeed(3)).to.deep.equal(["i1", "i2", "i3"]);
  });
});

describe("seed 001, 监控和统计 (monitoring and statistics)", () => {
  const catalog = sampleTargets(POOL_MODELS, { groups: [sampleGroup("fast_group", [["i1", "i2"], ["i3"]])] });
  const resolution = resolveTarget("fast_group", catalog);

  it("总请求数, 成功率 — total requests and success ratio, for the group and the echelon", () => {
    if (resolution.kind === "failed") throw new Error("not resolved");
    const statistics = new ScopeStatistics(listScopeMembers(catalog));
    const scopes = resolution.set.tiers[0]?.scopes ?? [];
    for (const succeeded of [true, true, true, false]) statistics.recordRequest(scopes, succeeded);
    for (const scope of ["group fast_group", "echelon fast_group.echelon1"]) {
      expect(statistics.report(scope, () => true)).to.deep.include({
        totalRequestCount: 4,
        successRatio: 0.75,
      });
    }
  });

  it("健康实例数, 总实例数 — healthy and total instances", () => {
    const statistics = new ScopeStatistics(listScopeMembers(catalog));
    const down: ReadonlySet<string> = new Set(["i2-provider/i2"]);
    const report = statistics.report("group fast_group", (id) => !down.has(id));
    expect(report).to.deep.include({ healthyInstanceCount: 2, totalInstanceCount: 3 });
  });

  it("降级历史记录 — the history of fallbacks, and 重置 its reset", () => {
    const statistics = new ScopeStatistics(listScopeMembers(catalog));
    const fallback = {
      from: "i1-provider/i1",
      to: "i3-provider/i3",
      outcome: "timeout" as const,
      atWallMs: 5,
    };
    statistics.recordFallback(["group fast_group"], fallback);
    expect(statistics.report("group fast_group", () => true)?.fallbacks).to.deep.equal([fallback]);
    statistics.reset("group fast_group");
    expect(statistics.report("group fast_group", () => true)?.fallbacks).to.deep.equal([]);
  });
});

describe("seed 001, 优先级 (priority of echelons)", () => {
  it("priority: 1 — the echelon with the lowest number comes first", () => {
    const walk = groupWalk({ strategy: "echelon_down" });
    expect(walk.set.tiers.map((tier) => tier.name)).to.deep.equal([
      "fast_group.echelon1",
      "fast_group.echelon2",
      "fast_group.echelon3",
    ]);
    const first: CandidateView | undefined = walk.views[0]?.[0];
    expect(first?.model.name).to.equal("gpt4");
  });
});
