import { expect } from "chai";
import type { Model } from "../../../src/domain/deployment.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { seededRandom } from "../../../src/lib/random.ts";
import { buildRouting } from "../../../src/main/build-routing.ts";
import { buildProviders } from "../../../src/providers/build-providers.ts";
import type { RunningSimulator } from "../../../src/simulator-server/start-simulator.ts";
import { eventually } from "../../support/eventually.ts";
import { RecordingConsumer, sampleRouting } from "../../support/router-bench.ts";
import { sampleModel, sampleRequest } from "../../support/sample-catalog.ts";
import { openSimulator } from "./open-simulator.ts";

/** Where the simulation speaks as each kind of provider. */
const BASE_PATHS = {
  openai: "/v1",
  glm: "/api/paas/v4",
  openrouter: "/api/v1",
  anthropic: "",
  ollama: "",
} as const;

type Kind = keyof typeof BASE_PATHS;
const KINDS = Object.keys(BASE_PATHS) as readonly Kind[];

/** In nano-USD per million tokens; a prime number, so that a wrong rounding shows. */
const PRICE = { inputNanoUsd: 100_003_001, outputNanoUsd: 400_009_003 };
const REQUEST_COUNT = 25;

describe("what the router counts, beside the books of who served it", () => {
  let simulator: RunningSimulator;

  afterEach(() => simulator.close());

  for (const kind of KINDS) {
    it(`is the same tokens and the same cost, failed attempts included (${kind})`, async () => {
      simulator = await openSimulator({
        seed: 5,
        price: PRICE,
        outputTokens: { median: 30, p95: 90 },
        faultRatios: { server_error: 0.2 },
      });
      const providers = buildProviders([providerOf(kind)], {
        clock: systemClock,
        random: seededRandom(1),
        userAgent: "sluice/test",
      });
      // OpenRouter tells the cost itself, and a list that says otherwise must not win over it.
      const price = kind === "openrouter" ? { inputNanoUsd: 1e12, outputNanoUsd: 1e12 } : PRICE;
      const models: readonly Model[] = [sampleModel("m", { providers: ["house"], price })];
      const changes = { failureThreshold: 1_000, maxAttempts: 3, routing: { retry: RETRY_AT_ONCE } };
      const routing = buildRouting(sampleRouting(models, changes), {
        clock: systemClock,
        random: seededRandom(2),
        providers,
      });
      const consumers = Array.from({ length: REQUEST_COUNT }, (_, index) => {
        const consumer = new RecordingConsumer();
        const nowMs = systemClock.nowMs();
        const context = { requestId: `r${index}`, traceparent: undefined, arrivedMs: nowMs };
        routing.router.route(
          sampleRequest({ sampling: { maxOutputTokens: 20 + index } }),
          { ...context, deadlineMs: nowMs + 30_000 },
          consumer,
        );
        return consumer;
      });
      await eventually(() => expect(consumers.every(({ result, error }) => result ?? error)).to.equal(true));
      const [{ total } = expectModel()] = routing.metrics.snapshot([]).models;
      const { totals } = simulator.books.read(0, 0);
      expect(totals.outcomeCounts.error).to.be.above(0);
      expect(total.startedCount).to.equal(totals.requestCount);
      expect(total.usage).to.include({
        inputTokens: totals.inputTokens,
        outputTokens: totals.outputTokens,
        costNanoUsd: totals.costNanoUsd,
      });
      expect(totals.costNanoUsd).to.be.above(REQUEST_COUNT * 1_000);
      for (const provider of providers.values()) await provider.close();
      routing.deployments.close();
    });
  }

  function providerOf(kind: Kind) {
    const origin = `http://127.0.0.1:${simulator.port}`;
    return {
      kind,
      name: "house",
      baseUrl: `${origin}${BASE_PATHS[kind]}`,
      apiKey: undefined,
      maxConnections: 8,
      connectTimeoutMs: 1_000,
    };
  }
});

const RETRY_AT_ONCE = {
  maxRetries: 2,
  baseDelayMs: 0,
  maxDelayMs: 0,
  multiplier: 1,
  jitterRatio: 0,
  retryClasses: new Set(["server_error"] as const),
};

function expectModel(): never {
  throw new Error("the catalog has a model");
}
