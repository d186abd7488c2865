import { expect } from "chai";
import { BIFROST, bifrostPolicy } from "../../sim/policies/bifrost.ts";
import { chainPolicy } from "../../sim/policies/chain.ts";
import { LITELLM } from "../../sim/policies/cooldown.ts";
import { ENVOY, envoyPolicy } from "../../sim/policies/envoy.ts";
import { latencyBasedPolicy } from "../../sim/policies/latency-based.ts";
import { OPENROUTER, openRouterPolicy } from "../../sim/policies/openrouter.ts";
import { FINAGLE, LINKERD, peakEwmaPolicy } from "../../sim/policies/peak-ewma.ts";
import type { CallOutcome, Policy, PolicyFactory } from "../../sim/policies/policy.ts";
import { randomPolicy } from "../../sim/policies/random-policy.ts";
import {
  leastBusyPolicy,
  lowestCostPolicy,
  roundRobinPolicy,
  shufflePolicy,
} from "../../sim/policies/simple-policies.ts";
import { THOMPSON, thompsonPolicy } from "../../sim/policies/thompson.ts";
import { usageBasedPolicy } from "../../sim/policies/usage-based.ts";
import { REGIMES } from "../../sim/world/regime.ts";
import type { SimRequest } from "../../sim/world/workload.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { ENDPOINTS } from "./sim-bench.ts";

const REQUEST: SimRequest = {
  index: 0,
  arrivalMs: 0,
  replica: 0,
  promptTokens: 1_000,
  outputTokens: 200,
  priority: "cost",
};
const ALL = ENDPOINTS.map((_, index) => index);

/** One replica's policy with a clock that a test moves. */
class PolicyBench {
  nowMs = 0;
  readonly policy: Policy;

  /** `fleet`: replicas of one fleet have the same. */
  constructor(make: PolicyFactory, fleet: object = {}) {
    this.policy = make({
      endpoints: ENDPOINTS,
      regime: REGIMES.tight,
      random: seededRandom(3),
      fleet,
      nowMs: () => this.nowMs,
      priceFactorOf: () => 1,
    });
  }

  choose(from: readonly number[] = ALL): number {
    return this.policy.choose(REQUEST, from, 0) ?? -1;
  }

  /** A whole call. */
  call(endpoint: number, outcome: CallOutcome, totalMs = 1_000, retryAfterMs?: number): void {
    this.policy.onStart?.(endpoint, REQUEST);
    this.policy.onEnd?.(
      {
        endpoint,
        outcome,
        firstTokenMs: outcome === "ok" ? totalMs / 2 : undefined,
        totalMs,
        outputTokens: 100,
        retryAfterMs,
      },
      REQUEST,
    );
  }

  /** How often each is chosen of `from`. */
  count(times: number, from: readonly number[] = ALL): readonly number[] {
    const counts = ENDPOINTS.map(() => 0);
    for (let index = 0; index < times; index++) {
      const endpoint = this.choose(from);
      counts[endpoint] = (counts[endpoint] ?? 0) + 1;
    }
    return counts;
  }
}

describe("the baselines", () => {
  it("random: takes everybody about equally often", () => {
    for (const count of new PolicyBench(randomPolicy).count(5_000)) expect(count).to.be.within(400, 600);
  });

  it("round robin: takes everybody in turn", () => {
    const bench = new PolicyBench(roundRobinPolicy);
    expect(Array.from({ length: 12 }, () => bench.choose())).to.deep.equal([...ALL, 0, 1]);
  });

  it("simple-shuffle: cools down for 5 s when more than half of five calls of the minute fail", () => {
    const bench = new PolicyBench(shufflePolicy(LITELLM));
    for (const outcome of ["ok", "ok", "error", "error"] as const) bench.call(0, outcome);
    expect(bench.count(500)[0]).to.be.greaterThan(0);
    bench.call(0, "error");
    expect(bench.count(500)[0]).to.equal(0);
    bench.nowMs = 5_001;
    expect(bench.count(500)[0]).to.be.greaterThan(0);
  });

  it("simple-shuffle: a refusal cools down for its Retry-After", () => {
    const bench = new PolicyBench(shufflePolicy(LITELLM));
    bench.call(0, "limited", 100, 20_000);
    bench.nowMs = 19_000;
    expect(bench.count(500)[0]).to.equal(0);
  });

  it("latency as is: once ten samples are there, only the tenth is replaced", () => {
    const bench = new PolicyBench(latencyBasedPolicy(false, LITELLM));
    for (let index = 0; index < 10; index++) {
      bench.call(0, "ok", 1_000);
      bench.call(1, "ok", 2_000);
    }
    for (let index = 0; index < 20; index++) bench.call(0, "ok", 5_000);
    expect(bench.choose([0, 1])).to.equal(0);
  });

  it("latency mended: the oldest sample goes", () => {
    const bench = new PolicyBench(latencyBasedPolicy(true, LITELLM));
    for (let index = 0; index < 10; index++) {
      bench.call(0, "ok", 1_000);
      bench.call(1, "ok", 2_000);
    }
    for (let index = 0; index < 20; index++) bench.call(0, "ok", 5_000);
    expect(bench.choose([0, 1])).to.equal(1);
  });

  it("latency: tries the unknown first, and an error leaves no trace in it", () => {
    const bench = new PolicyBench(latencyBasedPolicy(true, LITELLM));
    bench.call(0, "ok");
    expect(bench.choose([0, 1])).to.equal(1);
    bench.call(1, "error");
    expect(bench.choose([0, 1])).to.equal(1);
  });

  it("least-busy: takes the one with the fewest calls in flight", () => {
    const bench = new PolicyBench(leastBusyPolicy(LITELLM));
    bench.policy.onStart?.(0, REQUEST);
    expect(bench.choose([0, 1])).to.equal(1);
    bench.policy.onStart?.(1, REQUEST);
    bench.policy.onStart?.(1, REQUEST);
    expect(bench.choose([0, 1])).to.equal(0);
  });

  it("least-busy and Envoy: take none of equal ones more often than another", () => {
    for (const make of [leastBusyPolicy(LITELLM), envoyPolicy(ENVOY)]) {
      for (const count of new PolicyBench(make).count(5_000)) expect(count).to.be.within(400, 600);
    }
  });

  it("latency: leaves out whose limit of the minute is used up", () => {
    const bench = new PolicyBench(latencyBasedPolicy(true, LITELLM));
    bench.call(1, "ok", 9_000);
    for (let index = 0; index < 212; index++) bench.call(0, "ok", 100);
    expect(bench.choose([0, 1])).to.equal(1);
    bench.nowMs = 60_000;
    expect(bench.choose([0, 1])).to.equal(0);
  });

  it("lowest-cost: takes the cheapest until its limit of the minute is used up", () => {
    const bench = new PolicyBench(lowestCostPolicy(LITELLM));
    const cheapest = ENDPOINTS.findIndex(({ id }) => id === "e/e-lite");
    expect(bench.choose()).to.equal(cheapest);
    for (let index = 0; index < 220; index++) bench.call(cheapest, "ok");
    expect(bench.choose()).to.not.equal(cheapest);
    bench.nowMs = 60_000;
    expect(bench.choose()).to.equal(cheapest);
  });

  it("usage-based: takes the one with the fewest tokens in this minute", () => {
    const bench = new PolicyBench(usageBasedPolicy(false, LITELLM));
    bench.call(0, "ok");
    expect(bench.count(100, [0, 1])[1]).to.equal(100);
    bench.nowMs = 60_000;
    expect(bench.count(100, [0, 1])[1]).to.be.within(20, 80);
  });

  it("usage-based: leaves out who lacks requests or tokens of this minute", () => {
    const bench = new PolicyBench(usageBasedPolicy(false, LITELLM));
    // 527,900 tokens of 528,000, and more than that by the other: 1,000 more are too many for the first.
    bench.policy.onStart?.(0, { ...REQUEST, promptTokens: 527_900 });
    for (let index = 0; index < 212; index++) bench.policy.onStart?.(1, { ...REQUEST, promptTokens: 1 });
    bench.policy.onStart?.(2, { ...REQUEST, promptTokens: 526_000 });
    expect(bench.choose([0, 1, 2])).to.equal(2);
  });

  it("usage-based with a shared Redis: knows the others' use and who is out, and no other fleet's", () => {
    const make = usageBasedPolicy(true, LITELLM);
    const fleet = {};
    const [one, other, stranger] = [
      new PolicyBench(make, fleet),
      new PolicyBench(make, fleet),
      new PolicyBench(make),
    ];
    one.call(0, "ok");
    expect(other.count(100, [0, 1])[0]).to.equal(0);
    expect(stranger.count(100, [0, 1])[0]).to.be.within(20, 80);
    one.call(1, "limited", 100, 20_000);
    expect(other.count(100, [0, 1])[1]).to.equal(0);
  });

  it("chain: opens after five failures in a row for 60 s, then lets one call try", () => {
    const bench = new PolicyBench(chainPolicy({ failureCount: 5, openMs: 60_000 }));
    const first = bench.choose();
    for (let index = 0; index < 4; index++) bench.call(first, "error");
    expect(bench.choose()).to.equal(first);
    bench.call(first, "error");
    expect(bench.choose()).to.not.equal(first);
    bench.nowMs = 60_000;
    expect(bench.choose()).to.equal(first);
    bench.policy.onStart?.(first, REQUEST);
    expect(bench.choose()).to.not.equal(first);
  });

  it("Peak EWMA: a larger sample replaces the mean at once, a failure counts as quick as it was", () => {
    const bench = new PolicyBench(peakEwmaPolicy(FINAGLE));
    bench.call(0, "ok", 3_000);
    bench.call(1, "error", 200);
    expect(bench.choose([0, 1])).to.equal(1);
  });

  it("Peak EWMA: the load grows with the calls in flight", () => {
    const bench = new PolicyBench(peakEwmaPolicy(FINAGLE));
    bench.call(0, "ok", 1_000);
    bench.call(1, "ok", 1_500);
    expect(bench.choose([0, 1])).to.equal(0);
    bench.policy.onStart?.(0, REQUEST);
    expect(bench.choose([0, 1])).to.equal(1);
  });

  it("Finagle's accrual: five failures in a row kill for 2.5 to 5 s, then one call tries, and its success revives", () => {
    const bench = new PolicyBench(peakEwmaPolicy({ ...FINAGLE, accrual: true }));
    for (let index = 0; index < 5; index++) bench.call(0, "error", 10);
    bench.nowMs = 2_499;
    expect(bench.count(100, [0, 1])[0]).to.equal(0);
    bench.nowMs = 5_001;
    bench.call(1, "ok", 1_000);
    expect(bench.choose([0, 1])).to.equal(0);
    bench.policy.onStart?.(0, REQUEST);
    expect(bench.count(100, [0, 1])[0]).to.equal(0);
    const report = { endpoint: 0, firstTokenMs: 5, totalMs: 10, outputTokens: 100, retryAfterMs: undefined };
    bench.policy.onEnd?.({ ...report, outcome: "ok" }, REQUEST);
    expect(bench.choose([0, 1])).to.equal(0);
  });

  it("Finagle's accrual: one failure in three kills, one in ten does not", () => {
    for (const [period, dies] of [
      [3, true],
      [10, false],
    ] as const) {
      const bench = new PolicyBench(peakEwmaPolicy({ ...FINAGLE, accrual: true }));
      bench.call(1, "ok", 600_000);
      let callCount = 0;
      while (callCount < 100 && bench.choose([0, 1]) === 0) {
        callCount += 1;
        bench.nowMs += 1_000;
        bench.call(0, callCount % period === 0 ? "error" : "ok", 1);
      }
      expect(callCount < 100).to.equal(dies);
    }
  });

  it("penalty EWMA: a first token counts when it comes, not at the answer's end", () => {
    const bench = new PolicyBench(peakEwmaPolicy(LINKERD));
    bench.policy.onFirstToken?.(0, 3_000);
    expect(bench.choose([0, 1])).to.equal(1);
  });

  it("penalty EWMA: a quick failure counts as 5 s, or its Retry-After", () => {
    const bench = new PolicyBench(peakEwmaPolicy(LINKERD));
    bench.call(0, "ok", 6_000);
    bench.call(1, "error", 200);
    expect(bench.choose([0, 1])).to.equal(0);
  });

  it("OpenRouter: cheap ones get a share of 1/price², and those in an outage in the last 30 s none", () => {
    const bench = new PolicyBench(openRouterPolicy(OPENROUTER));
    const counts = bench.count(6_000, [1, 3]);
    expect((counts[3] ?? 0) / (counts[1] ?? 1)).to.be.within(1.9, 2.7);
    for (let index = 0; index < 3; index++) bench.call(3, "error");
    expect(bench.count(500, [1, 3])[3]).to.equal(0);
    bench.nowMs = 30_001;
    expect(bench.count(500, [1, 3])[3]).to.be.greaterThan(0);
  });

  it("Bifrost: a refusal for the rate makes a route failed until it is worked out anew", () => {
    const bench = new PolicyBench(bifrostPolicy(BIFROST));
    bench.call(0, "limited");
    expect(bench.count(1_000)[0]).to.be.below(10);
    bench.nowMs = 5_000;
    expect(bench.count(1_000)[0]).to.be.below(10);
    bench.nowMs = 10_000;
    expect(bench.count(1_000)[0]).to.be.greaterThan(50);
  });

  it("Envoy: five errors in a row eject for 30 s, and a refusal for the rate is none of them", () => {
    const bench = new PolicyBench(envoyPolicy(ENVOY));
    for (let index = 0; index < 9; index++) bench.call(0, "limited");
    expect(bench.count(100, [0, 1])[0]).to.be.above(20);
    for (let index = 0; index < 5; index++) bench.call(0, "error");
    expect(bench.count(100, [0, 1])[0]).to.equal(0);
    bench.nowMs = 30_000;
    expect(bench.count(100, [0, 1])[0]).to.be.above(20);
  });

  it("Envoy: each time ejected makes it longer by 30 s, and each 10 s of health shorter again", () => {
    const bench = new PolicyBench(envoyPolicy(ENVOY));
    const eject = () => {
      for (let index = 0; index < 5; index++) bench.call(0, "error");
    };
    const isOut = () => bench.count(100, [0, 1])[0] === 0;
    eject();
    bench.nowMs = 30_000;
    eject();
    bench.nowMs = 89_999;
    expect(isOut()).to.equal(true);
    bench.nowMs = 90_000;
    expect(isOut()).to.equal(false);
    bench.nowMs = 111_000;
    eject();
    bench.nowMs = 141_000;
    expect(isOut()).to.equal(false);
  });

  it("Thompson: leaves what fails, and forgets with a half-life of 60 s", () => {
    const bench = new PolicyBench(thompsonPolicy(THOMPSON));
    const first = bench.choose();
    for (let index = 0; index < 30; index++) bench.call(first, "error");
    expect(bench.count(300)[first]).to.be.below(30);
    bench.nowMs = 1_200_000;
    expect(bench.count(300)[first]).to.be.greaterThan(100);
  });
});
