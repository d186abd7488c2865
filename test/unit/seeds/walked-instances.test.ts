import { expect } from "chai";
import { buildProviders } from "../../../src/providers/build-providers.ts";
import { driveRequest } from "../../router/drive-request.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { RouterBench } from "../../support/router-bench.ts";
import { sampleModel } from "../../support/sample-catalog.ts";
import { expectConfig, loadText } from "../config/memory-files.ts";
import { samplePool } from "../core/candidates/sample-targets.ts";

/** One model at two instances of the same server, each with a key of its own, as an operator writes it. */
const INSTANCES = `
providers:
  zhipu-a: { kind: glm, base_url: "https://open.bigmodel.cn/api/paas/v4", api_key: "key-a.secret" }
  zhipu-b: { kind: glm, base_url: "https://open.bigmodel.cn/api/paas/v4", api_key: "key-b.secret" }
models:
  - name: glm-4
    context_window_tokens: 128000
    max_output_tokens: 4095
    deployments:
      - { provider: zhipu-a, limits: { concurrency: 1 } }
      - { provider: zhipu-b, limits: { concurrency: 1 } }
pools:
  zhipuai: { members: [glm-4], rotation_strategy: round_robin }
`;

const POOL = { target: { kind: "named", name: "zhipuai" } } as const;
const model = () => sampleModel("glm-4", { providers: ["zhipu-a", "zhipu-b"] });
const bench = () => new RouterBench([model()], { targets: { pools: [samplePool("zhipuai", ["glm-4"])] } });

describe("seed 004, 负载均衡 (load balancing), walked", () => {
  it("多实例管理 — instances of one model, each with its own key, are deployments of their own", async () => {
    const { models, providers, targets } = expectConfig(loadText(INSTANCES));
    expect(models[0]?.deployments.map(({ id, upstreamModel }) => [id, upstreamModel])).to.deep.equal([
      ["zhipu-a/glm-4", "glm-4"],
      ["zhipu-b/glm-4", "glm-4"],
    ]);
    const keys = providers.map((each) => (each.kind === "simulator" ? undefined : each.apiKey?.reveal()));
    expect(keys).to.deep.equal(["key-a.secret", "key-b.secret"]);
    expect(targets.pools[0]?.members).to.deep.equal(["glm-4"]);
    const deps = { clock: new FakeClock(), random: { next: () => 0 }, userAgent: "sluice/0" };
    const built = buildProviders(providers, deps);
    expect([...built.keys()]).to.deep.equal(["zhipu-a", "zhipu-b"]);
    await Promise.all([...built.values()].map((provider) => provider.close()));
  });

  it("轮询调度 — the instances of a pool are asked in turn", async () => {
    const { deployments } = await askFour();
    expect(deployments).to.deep.equal(["zhipu-a/glm-4", "zhipu-b/glm-4", "zhipu-a/glm-4", "zhipu-b/glm-4"]);
  });

  it("an instance whose key is refused is left alone, and the other one answers", async () => {
    const routes = bench();
    const first = await driveRequest(routes, POOL, (_model, { call }) =>
      call.deployment.provider === "zhipu-a" ? "auth" : "answers",
    );
    expect(first.deployments).to.deep.equal(["zhipu-a/glm-4", "zhipu-b/glm-4"]);
    for (let index = 0; index < 3; index++) {
      const { deployments } = await driveRequest(routes, POOL, () => "answers");
      expect(deployments).to.deep.equal(["zhipu-b/glm-4"]);
    }
  });

  it('type="openai", "ollama", "zhipuai" — a request may name who serves it', async () => {
    const models = [
      sampleModel("gpt", { providers: ["openai"] }),
      sampleModel("glm", { providers: ["zhipuai"] }),
    ];
    const routes = new RouterBench(models);
    const named: string[] = [];
    for (const name of ["zhipuai", "openai"]) {
      const target = { kind: "named", name, as: "provider" } as const;
      named.push(...(await driveRequest(routes, { target }, () => "answers")).models);
    }
    expect(named).to.deep.equal(["glm", "gpt"]);
  });

  it("监控统计 — requests, success ratio, response time and tokens of each model and instance", async () => {
    const routes = bench();
    await driveRequest(routes, POOL, (_model, attempt) => {
      attempt.events({ kind: "usage", usage: { inputTokens: 10, outputTokens: 5 } });
      return "answers";
    });
    await driveRequest(routes, POOL, (_model, { call }) =>
      call.deployment.provider === "zhipu-b" ? "server_error" : "answers",
    );
    const [metrics] = routes.routing.metrics.snapshot(["glm-4"]).models;
    expect(metrics?.total).to.deep.include({ startedCount: 3, usage: { inputTokens: 10, outputTokens: 5 } });
    expect(metrics?.total.successRatio).to.be.closeTo(2 / 3, 1e-9);
    expect(metrics?.total.totalLatency?.sampleCount).to.equal(2);
    expect(
      metrics?.deployments.map(({ attempts }) => attempts.outcomeCounts.get("server_error")),
    ).to.deep.equal([undefined, 1]);
  });
});

describe("seed 002, 并发控制 (concurrency control), walked", () => {
  it("最大并发数为1 — five requests all complete, and no two are at the model at once", async () => {
    const routes = new RouterBench([sampleModel("glm-4", { providers: ["zhipu"], concurrencyLimit: 1 })], {
      routing: { maxWaitingAttempts: 10 },
    });
    const consumers = Array.from({ length: 5 }, () => routes.route().consumer);
    const { attempts } = routes.provider("zhipu");
    for (let done = 0; done < 5; done++) {
      expect(attempts).to.have.length(done + 1);
      attempts[done]?.complete();
      await routes.clock.advance(1);
    }
    expect(consumers.every(({ result }) => result !== undefined)).to.equal(true);
  });

  it("1次初始 + 2次重试 — two failures and an answer are one request and three calls", async () => {
    const retry = {
      maxRetries: 3,
      baseDelayMs: 2_000,
      maxDelayMs: 30_000,
      multiplier: 2,
      jitterRatio: 0,
      retryClasses: new Set(["server_error", "timeout", "rate_limit", "network"] as const),
    };
    const routes = new RouterBench([sampleModel("glm-4")], { routing: { retry } });
    let count = 0;
    const { consumer, atMs } = await driveRequest(routes, {}, () =>
      ++count < 3 ? "server_error" : "answers",
    );
    expect(consumer.result?.attempts.map(({ purpose }) => purpose)).to.deep.equal([
      "first",
      "retry",
      "retry",
    ]);
    expect(atMs).to.deep.equal([0, 2_000, 6_000]);
  });

  it("成本统计 — the cost of every call is counted, by tokens and price", async () => {
    const price = { inputNanoUsd: 600_000_000, outputNanoUsd: 2_200_000_000 };
    const routes = new RouterBench([sampleModel("glm-4", { price })]);
    await driveRequest(routes, {}, (_model, attempt) => {
      attempt.events({ kind: "usage", usage: { inputTokens: 1_000, outputTokens: 500 } });
      return "answers";
    });
    const [metrics] = routes.routing.metrics.snapshot([]).models;
    expect(metrics?.total.usage.costNanoUsd).to.equal(1_700_000);
  });
});

async function askFour() {
  const routes = bench();
  const deployments: string[] = [];
  for (let index = 0; index < 4; index++) {
    deployments.push(...(await driveRequest(routes, POOL, () => "answers")).deployments);
  }
  return { deployments };
}
