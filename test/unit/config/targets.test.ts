import { expect } from "chai";
import fc from "fast-check";

import type { Targets } from "../../../src/domain/targets.ts";
import { expectConfig, loadText } from "./memory-files.ts";
import { targetsYaml } from "./targets-yaml.ts";

const load = (text: string): Targets => expectConfig(loadText(targetsYaml(text))).targets;

describe("the configuration of targets", () => {
  it("gives a group the usual fallback, rotation and priorities", () => {
    const text =
      "groups: { g: { echelon2: { models: [m2] }, echelon1: { models: [m1] }, echelon10: { models: [m3] } } }";
    expect(load(text).groups).to.deep.equal([
      {
        name: "g",
        description: "",
        rotation: "adaptive",
        echelons: [
          { name: "echelon1", priority: 1, models: ["m1"], settings: {} },
          { name: "echelon2", priority: 2, models: ["m2"], settings: {} },
          { name: "echelon10", priority: 10, models: ["m3"], settings: {} },
        ],
        fallback: {
          strategy: "echelon_down",
          targets: [],
          maxAttempts: 3,
          retryDelayMs: 1_000,
          breaker: undefined,
        },
      },
    ]);
  });

  it("reads every setting of a group", () => {
    const text = `groups:
  g:
    description: All of it
    rotation: least_recently_used
    echelons:
      echelon1:
        { models: [m1, m2], priority: 5, concurrency_limit: 10, rpm_limit: 100, timeout: 1.5m, max_retries: 0, temperature: 0, max_tokens: 7 }
      echelon2: { models: [m3], priority: 4 }
    fallback:
      strategy: provider_failover
      targets: [m3, p, g2.echelon1, auto]
      max_attempts: 10
      retry_delay: 0s
      circuit_breaker: { failure_threshold: 3, half_open_requests: 2 }
  g2: { echelon1: { models: [m1] } }`;
    const [group] = load(text).groups;
    expect(group?.echelons.map(({ name }) => name)).to.deep.equal(["echelon2", "echelon1"]);
    expect(group?.echelons[1]).to.deep.equal({
      name: "echelon1",
      priority: 5,
      models: ["m1", "m2"],
      settings: {
        concurrencyLimit: 10,
        rpmLimit: 100,
        timeoutMs: 90_000,
        maxRetries: 0,
        temperature: 0,
        maxOutputTokens: 7,
      },
    });
    expect(group).to.include({ description: "All of it", rotation: "least_recently_used" });
    expect(group?.fallback).to.deep.equal({
      strategy: "provider_failover",
      targets: ["m3", "p", "g2.echelon1", "auto"],
      maxAttempts: 10,
      retryDelayMs: 0,
      breaker: { kind: "counting", failureThreshold: 3, recoveryTimeMs: 60_000, halfOpenRequests: 2 },
    });
  });

  it("gives a pool turns, two attempts, no health checks and no breaker of its own", () => {
    expect(load("pools: { x: { members: [m1, p] } }").pools).to.deep.equal([
      {
        name: "x",
        description: "",
        members: ["m1", "p"],
        rotation: "round_robin",
        weights: {},
        healthCheckIntervalMs: undefined,
        breaker: undefined,
        fallback: { strategy: "instance_rotation", maxInstanceAttempts: 2 },
      },
    ]);
  });

  it("reads every setting of a pool", () => {
    const text = `pools:
  x:
    members: [m1, m2]
    rotation: weighted
    weights: { m1: 3, p/m2: 0.5 }
    health_check_interval: 30s
    recovery_time: 2m
    fallback: { strategy: simple_retry, max_instance_attempts: 4 }`;
    expect(load(text).pools[0]).to.deep.include({
      rotation: "weighted",
      weights: { m1: 3, "p/m2": 0.5 },
      healthCheckIntervalMs: 30_000,
      breaker: { kind: "counting", failureThreshold: 3, recoveryTimeMs: 120_000, halfOpenRequests: 1 },
      fallback: { strategy: "simple_retry", maxInstanceAttempts: 4 },
    });
    const off = "pools: { x: { members: [m1], health_check_interval: off, failure_threshold: 9 } }";
    expect(load(off).pools[0]).to.deep.include({
      healthCheckIntervalMs: undefined,
      breaker: { kind: "counting", failureThreshold: 9, recoveryTimeMs: 60_000, halfOpenRequests: 1 },
    });
  });

  it("takes a chain's roles as they are written, map or list", () => {
    const asMap = "chains: { c: { roles: { primary: [m1, m2], duplicate: [m3], spare: [m1] } } }";
    const asList = `chains:
  c:
    roles: [{ role: primary, models: [m1, m2] }, { role: duplicate, models: [m3] }, { role: spare, models: [m1] }]`;
    for (const text of [asMap, asList]) {
      expect(load(text).chains).to.deep.equal([
        {
          name: "c",
          description: "",
          roles: [
            { role: "primary", models: ["m1", "m2"] },
            { role: "duplicate", models: ["m3"] },
            { role: "spare", models: ["m1"] },
          ],
          selection: "fixed",
          strategy: undefined,
        },
      ]);
    }
    const settings =
      "chains: { c: { roles: { a: [m1] }, selection: fastest, strategy: best_of_two, name: c } }";
    expect(load(settings).chains[0]).to.include({ selection: "fastest", strategy: "best_of_two" });
  });

  it("says so when a chain's roles stand in another order than the usual one", () => {
    const order = (roles: string) => {
      const result = loadText(targetsYaml(`chains: { c: { roles: { ${roles} } } }`));
      return result.ok ? result.notices.filter((notice) => notice.startsWith('Chain "c"')) : [];
    };
    expect(order("primary: [m1], spare: [m1], duplicate: [m1], fallback: [m2]")).to.deep.equal([]);
    expect(order("fallback: [m2], primary: [m1]")).to.deep.equal([
      'Chain "c" tries its roles in the order fallback, primary, as written; the usual order is primary, duplicate, reserve, fallback.',
    ]);
  });

  it("reads aliases and defaults", () => {
    const text = `aliases: { "gpt-4o": { target: m1, fallbacks: [p, auto] }, x/y: { target: gpt-4o } }
defaults: { target: x/y, strategy: best_of_two, task_type: reasoning }`;
    const { aliases, defaults } = load(text);
    expect(aliases).to.deep.equal([
      { name: "gpt-4o", target: "m1", fallbacks: ["p", "auto"] },
      { name: "x/y", target: "gpt-4o", fallbacks: [] },
    ]);
    expect(defaults).to.deep.equal({ target: "x/y", strategy: "best_of_two", taskType: "reasoning" });
  });

  it("builds on the built-in models where the file has none", () => {
    const text =
      "groups: { g: { echelon1: { models: [glm-4.6] } } }\ndefaults: { target: g }\naliases: { a: { target: simulator } }";
    expect(expectConfig(loadText(text)).targets.defaults.target).to.equal("g");
    expect(loadText(text, { env: { GLM_API_KEY: "id.secret" } })).to.have.property("ok", false);
    const real = text.replace("simulator", "glm");
    expect(loadText(real, { env: { GLM_API_KEY: "id.secret" } })).to.have.property("ok", true);
    const weights =
      "pools: { x: { members: [glm-4.6], rotation: weighted, weights: { simulator/glm-4.6: 2 } } }";
    expect(expectConfig(loadText(weights)).targets.pools[0]?.weights).to.deep.equal({
      "simulator/glm-4.6": 2,
    });
  });

  it("takes a bare number in groups and pools as seconds, just as text with the unit", () => {
    const milliseconds = fc.integer({ min: 1_000, max: 60_000 });
    const write = (time: string) =>
      `groups: { g: { echelon1: { models: [m1], timeout: ${time} }, fallback: { retry_delay: ${time}, circuit_breaker: { recovery_time: ${time} } } } }
pools: { x: { members: [g], health_check_interval: ${time}, recovery_time: ${time} } }`;
    fc.assert(
      fc.property(milliseconds, (timeMs) => {
        const bare = load(write(`${timeMs / 1_000}`));
        expect(bare).to.deep.equal(load(write(`${timeMs}ms`)));
        expect(bare.pools[0]?.healthCheckIntervalMs).to.equal(timeMs);
        expect(bare.groups[0]?.echelons[0]?.settings.timeoutMs).to.equal(timeMs);
        expect(bare.groups[0]?.fallback.retryDelayMs).to.equal(timeMs);
      }),
      { numRuns: 25 },
    );
  });
});
