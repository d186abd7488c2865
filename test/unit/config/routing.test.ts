import { expect } from "chai";
import fc from "fast-check";

import { FAILURE_CLASSES } from "../../../src/domain/outcome.ts";
import { catalogYaml, expectConfig, listProblems, loadText } from "./memory-files.ts";

const load = (routing: string) => expectConfig(loadText(`routing: { ${routing} }`)).routing;
const counting = (failureThreshold: number, recoveryTimeMs: number, halfOpenRequests: number) => ({
  kind: "counting",
  failureThreshold,
  recoveryTimeMs,
  halfOpenRequests,
});

describe("the configuration of routing", () => {
  const breakers: [string, object][] = [
    ["{}", { kind: "adaptive" }],
    ["{ preset: adaptive }", { kind: "adaptive" }],
    ["{ preset: counting }", counting(5, 30_000, 1)],
    ["{ failure_threshold: 2, recovery_time: 1s }", counting(2, 1_000, 1)],
    ["{ failure_threshold: 2 }", counting(2, 30_000, 1)],
    ["{ half_open_requests: 3 }", counting(5, 30_000, 3)],
    ["{ preset: counting, recovery_time: 2m, half_open_requests: 2 }", counting(5, 120_000, 2)],
  ];
  for (const [text, expected] of breakers) {
    it(`reads the breaker ${text} as ${JSON.stringify(expected)}`, () => {
      expect(load(`breaker: ${text}`).breaker).to.deep.equal(expected);
    });
  }

  it("reads retries, budgets, hedging and best-of-two", () => {
    const routing = load(
      `retry: { max_retries: 0, base_delay: 0s, max_delay: 1m, multiplier: 1, jitter: 1, on: [timeout, timeout] },
  budgets: { retry_ratio: 0, retries_per_second: 0.5, hedge_ratio: 1 },
  hedging: { enabled: false, min_delay: 1s }, performance_tracking: false,
  best_of_two: { judge: glm-4.6, judge_timeout: 3s }`,
    );
    expect(routing.retry).to.deep.equal({
      maxRetries: 0,
      baseDelayMs: 0,
      maxDelayMs: 60_000,
      multiplier: 1,
      jitterRatio: 1,
      retryClasses: new Set(["timeout"]),
    });
    expect(routing.budgets).to.deep.equal({
      extra: { ratio: 0, perSecond: 0.5 },
      hedges: { ratio: 1, perSecond: 0 },
    });
    expect(routing.hedging).to.deep.equal({ enabled: false, minDelayMs: 1_000 });
    expect(routing.performanceTracking).to.equal(false);
    expect(routing.bestOfTwo).to.deep.equal({ judge: "glm-4.6", judgeTimeoutMs: 3_000 });
  });

  it("retries after no failure when the list is empty", () => {
    expect(load("retry: { on: [] }").retry.retryClasses.size).to.equal(0);
  });

  it("may retry after every failure but a cancellation", () => {
    for (const failure of FAILURE_CLASSES) {
      const result = loadText(`routing: { retry: { on: [${failure}] } }`);
      expect(result.ok, failure).to.equal(failure !== "cancelled");
    }
  });

  it("completes a provider's retries with those of routing", () => {
    const provider = "{ kind: simulator, retry: { max_retries: 4, base_delay: 20s, on: [network] } }";
    const text = `${catalogYaml({ provider })}routing: { retry: { multiplier: 3, jitter: 0 } }`;
    const { providerRetry, retry } = expectConfig(loadText(text)).routing;
    expect([...providerRetry]).to.deep.equal([
      [
        "p",
        {
          maxRetries: 4,
          // Cut to the longest delay, which routing gives.
          baseDelayMs: 8_000,
          maxDelayMs: 8_000,
          multiplier: 3,
          jitterRatio: 0,
          retryClasses: new Set(["network"]),
        },
      ],
    ]);
    expect(retry.maxRetries).to.equal(1);
  });

  it("takes weights by their proportions", () => {
    const { weights } = load("weights: { speed: { quality: 0, latency: 3, cost: 1 }, cost: { cost: 0.7 } }");
    expect(weights.speed).to.deep.equal({ quality: 0, latency: 0.75, cost: 0.25 });
    expect(weights.cost).to.deep.equal({ quality: 0.2, latency: 0.1, cost: 0.7 });
  });

  it("has weights that add up to 1 and keep their proportions, whatever is written", () => {
    const weight = fc.double({ min: 0, max: 1_000, noNaN: true }).map((number) => Number(number.toFixed(3)));
    const triple = fc.tuple(weight, weight, weight).filter((weights) => weights.some((each) => each > 0));
    fc.assert(
      fc.property(triple, ([quality, latency, cost]) => {
        const { balanced } = load(
          `weights: { balanced: { quality: ${quality}, latency: ${latency}, cost: ${cost} } }`,
        ).weights;
        expect(balanced.quality + balanced.latency + balanced.cost).to.be.closeTo(1, 1e-9);
        expect(balanced.quality * latency).to.be.closeTo(balanced.latency * quality, 1e-6 * (latency + 1));
        expect(balanced.cost * quality).to.be.closeTo(balanced.quality * cost, 1e-6 * (quality + 1));
      }),
      { numRuns: 50 },
    );
  });

  const limits: [string, number | undefined, object | undefined][] = [
    ["", undefined, undefined],
    ["limits: {}", undefined, undefined],
    ["limits:", undefined, undefined],
    ["concurrency_limit: 2", 2, { concurrencyLimit: 2 }],
    ["limits: { concurrency: 3 }", 3, { concurrencyLimit: 3 }],
    ["limits: { rpm: 60, tpm: 9000 }", undefined, { requestsPerMinute: 60, tokensPerMinute: 9_000 }],
  ];
  for (const [deployment, concurrencyLimit, expected] of limits) {
    it(`reads a deployment with "${deployment}" as limited by ${JSON.stringify(expected)}`, () => {
      const config = expectConfig(loadText(catalogYaml({ deployment })));
      expect(config.deploymentLimits.get("p/m")).to.deep.equal(expected);
      expect(config.models[0]?.deployments[0]?.concurrencyLimit).to.equal(concurrencyLimit);
    });
  }

  it("reads a deployment's min_interval", () => {
    const config = expectConfig(loadText(catalogYaml({ deployment: "limits: { min_interval: 1.5s }" })));
    expect(config.models[0]?.deployments[0]).to.include({
      minIntervalMs: 1_500,
      concurrencyLimit: undefined,
    });
  });

  it("reads whether a deployment thinks where nobody says", () => {
    const provider = "{ kind: ollama, base_url: http://127.0.0.1:1 }";
    const text = catalogYaml({
      provider,
      deployment: "thinking: true\n        parameters: { thinking: true }",
    });
    const [deployment] = expectConfig(loadText(text)).models[0]?.deployments ?? [];
    expect([deployment?.thinking, deployment?.parameters?.thinking]).to.deep.equal([true, true]);
  });

  const wrong: [string, string, string][] = [
    [
      "breaker: { preset: adaptive, recovery_time: 1s }",
      "routing.breaker.recovery_time is given beside the preset adaptive",
      "the preset counting, or only the preset",
    ],
    ["breaker: { preset: fast }", "routing.breaker.preset is none of the choices", "adaptive or counting"],
    [
      "breaker: { recovery_time: 30 }",
      "routing.breaker.recovery_time is a number without a unit",
      "a duration",
    ],
    [
      "breaker: { half_open_requests: 0 }",
      "routing.breaker.half_open_requests is 0",
      "a whole number from 1",
    ],
    ["retry: { base_delay: 9s }", "routing.retry.base_delay is longer than max_delay", "at most max_delay"],
    ["retry: { base_delay: 1 }", "routing.retry.base_delay is a number without a unit", "a duration"],
    ["retry: { multiplier: 0.5 }", "routing.retry.multiplier is 0.5", "a number from 1"],
    ["retry: { jitter: 2 }", "routing.retry.jitter is 2", "a number from 0 to 1"],
    ["retry: { on: [timeuot] }", "routing.retry.on[0] is none of the choices", "one of auth, "],
    ["retry: { on: network }", "routing.retry.on is text", "a list of failure classes"],
    ["retry: { max_retry: 1 }", "routing.retry.max_retry is not a key that Sluice knows", '"max_retries"'],
    ["budgets: { retry_ratio: -1 }", "routing.budgets.retry_ratio is -1", "a number from 0"],
    ["budgets: { hedge_ratio: 2 }", "routing.budgets.hedge_ratio is 2", "a number from 0 to 1"],
    ["hedging: { min_delay: 0s }", "routing.hedging.min_delay is too short", "a duration"],
    [
      "weights: { cost: { quality: 0, latency: 0, cost: 0 } }",
      "routing.weights.cost.quality is 0 like latency and cost",
      "at least one of the three above 0",
    ],
    ["weights: { cost: { cost: -1 } }", "routing.weights.cost.cost is -1", "a number from 0"],
    ["weights: { price: {} }", "routing.weights.price is not a key that Sluice knows", "one of speed"],
    [
      "best_of_two: { judge: glm-46 }",
      'routing.best_of_two.judge names a target "glm-46" that is not there',
      '"glm-4.6" (did you mean that?)',
    ],
  ];
  for (const [text, words, right] of wrong) {
    it(`refuses ${text}`, () => {
      const lines = listProblems(loadText(`routing: { ${text} }`));
      expect(lines, lines.join("\n")).to.have.length(1);
      expect(lines[0]).to.include(`: ${words}; right would be ${right}`);
    });
  }

  const wrongParts: [string, string][] = [
    [
      catalogYaml({ deployment: "limits: { concurrency: 1 }\n        concurrency_limit: 1" }),
      "concurrency_limit is given beside limits.concurrency; right would be only one of the two",
    ],
    [catalogYaml({ deployment: "limits: { rpm: 0 }" }), "limits.rpm is 0"],
    [catalogYaml({ deployment: "limits: { min_interval: 0ms }" }), "limits.min_interval is too short"],
    [
      catalogYaml({ deployment: "limits: { rps: 1 }" }),
      'limits.rps is not a key that Sluice knows; right would be "rpm"',
    ],
    [
      catalogYaml({ provider: "{ kind: simulator, retry: { base_delay: 2s, max_delay: 1s } }" }),
      "providers.p.retry.base_delay is longer than max_delay",
    ],
    [
      catalogYaml({ provider: "{ kind: simulator, retry: { delay: 2s } }" }),
      "providers.p.retry.delay is not a key that Sluice knows",
    ],
  ];
  for (const [text, words] of wrongParts) {
    it(`refuses what is wrong: ${words}`, () => {
      const lines = listProblems(loadText(text));
      expect(lines, lines.join("\n")).to.have.length(1);
      expect(lines[0]).to.include(words);
    });
  }

  it("takes figures from the environment", () => {
    const text = `routing: { retry: { max_retries: "\${N}", on: ["\${C}"] }, hedging: { enabled: "\${E}" } }
groups: { g: { echelon1: { models: [glm-4.6], timeout: "\${T}", temperature: "\${F}" } } }`;
    const env = { N: "2", C: "timeout", E: "false", T: "30", F: "0.5" };
    const { routing, targets } = expectConfig(loadText(text, { env }));
    expect(routing.retry.maxRetries).to.equal(2);
    expect(routing.retry.retryClasses).to.deep.equal(new Set(["timeout"]));
    expect(routing.hedging.enabled).to.equal(false);
    expect(targets.groups[0]?.echelons[0]?.settings).to.deep.equal({ timeoutMs: 30_000, temperature: 0.5 });
  });
});
