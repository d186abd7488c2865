import { toBinary, toJsonString } from "@bufbuild/protobuf";
import { expect } from "chai";
import fc from "fast-check";
import { FleetMetricsSchema } from "../../gen/sluice/v1/metrics_pb.ts";
import { COUNTERS } from "../../src/core/evidence/bucket-series.ts";
import type { Deployment } from "../../src/domain/deployment.ts";
import { encodeHealthMessage } from "../../src/fleet/encode-health.ts";
import { FleetMetricsSource } from "../../src/fleet/fleet-metrics.ts";
import type { DeploymentReport } from "../../src/fleet/health-message.ts";
import { healthSubject } from "../../src/fleet/subjects.ts";
import { encodeFleet } from "../../src/service/encode-fleet.ts";
import { FleetBench, type FleetReplica } from "../support/fleet-bench.ts";

const MAX_UINT32 = 2 ** 32 - 1;
const LIAR = 3;
const HONEST_IDS = ["replica-0", "replica-1", "replica-2"];
const LONG_NAME = "\u{10ffff}".repeat(64);
const USAGE = { inputTokens: Number.MAX_SAFE_INTEGER };

/** As often an extreme as something ordinary. */
const upTo = (max: number) => fc.oneof(fc.constantFrom(0, 1, max - 1, max), fc.nat(1_000));
const register = fc.record({
  epoch: upTo(MAX_UINT32),
  value: upTo(Number.MAX_SAFE_INTEGER),
  replicaId: fc.constantFrom(LONG_NAME, "replica-0", "z"),
});
const timed = fc.record({ register, remainingMs: upTo(86_400_000) });
const reading = fc.record({
  limit: fc.constantFrom(1e-300, 60, 1e12),
  remaining: fc.constant(0),
  resetMs: fc.constantFrom(0, 1e-9, 86_400_000),
});
const quota = fc.record({
  register,
  ageMs: upTo(86_400_000),
  headers: fc.record({ requests: reading, tokens: reading }, { requiredKeys: [] }),
});
const statement = fc.record({
  aheadMs: fc.constantFrom(0, 1e6, 4e12),
  header: fc.record({
    incarnation: fc.constantFrom(1, 2, Number.MAX_SAFE_INTEGER),
    sequence: upTo(Number.MAX_SAFE_INTEGER),
    uptimeMs: fc.constantFrom(0, 3_155_760_000_000, 9e18),
    draining: fc.boolean(),
    version: fc.constantFrom("", LONG_NAME.slice(64)),
  }),
  counts: fc.array(upTo(100_000), { minLength: COUNTERS.length, maxLength: COUNTERS.length }),
  claims: fc.record({ inFlightCount: upTo(1_000_000), healthScore: fc.constantFrom(0, 1e-320, 1) }),
  breaker: fc.record({
    state: fc.constantFrom("closed" as const, "open" as const, "half_open" as const),
    epoch: upTo(MAX_UINT32),
    probeDelayMs: upTo(3_600_000),
  }),
  closedRatio: fc.constantFrom(0, 0.5, 1),
  registers: fc.record({ cooldown: timed, quota }, { requiredKeys: [] }),
  disabled: timed,
});
type Statement = typeof statement extends fc.Arbitrary<infer Each> ? Each : never;

const step = fc.record({
  lie: statement,
  honest: fc.constantFrom("success", "rate_limit", "auth", "server_error", "headers"),
  gapMs: fc.constantFrom(1, 20, 300, 6_000, 20_000),
});

function lie(fleet: FleetBench, deployments: readonly Deployment[], said: Statement): void {
  const replicaId = `replica-${LIAR}`;
  const sentMs = Math.floor(fleet.clock.nowMs() + said.aheadMs);
  const bucket = (bucketMs: number) => [{ index: Math.floor(sentMs / bucketMs), values: said.counts }];
  const breaker = { ...said.breaker, closedMs: Math.floor(said.closedRatio * sentMs) };
  const report = {
    deployments: deployments.map(({ id }): DeploymentReport => {
      const series = { fine: bucket(1_000), coarse: bucket(5_000) };
      return { deploymentId: id, ...said.claims, series, breaker, registers: said.registers };
    }),
    credentials: deployments.map(({ provider }) => ({ provider, disabled: said.disabled })),
  };
  const payload = encodeHealthMessage({ ...said.header, replicaId, sentMs }, "delta", report);
  fleet.buses[LIAR]?.publish({
    subject: healthSubject(replicaId),
    type: "sluice.v1.HealthMessage",
    payload,
  });
}

function act(replica: FleetReplica, what: string): void {
  const [deployment] = replica.deployments;
  if (deployment === undefined) throw new Error("there is no deployment");
  const headers = { requests: { limit: 60, remaining: 30, resetMs: 60_000 } };
  if (what === "headers") replica.table.readHeaders(deployment, headers);
  else replica.start()(what as never, { retryAfterMs: 20_000, usage: USAGE });
}

function describeFleet({ table, exchange }: FleetReplica) {
  const own = { snapshot: () => ({ models: [] }), onBreakerChange: () => () => {} };
  const parts = { bus: { state: "connected" }, evidence: table, exchange, countDroppedEvents: () => 0 };
  const { fleet } = new FleetMetricsSource(own as never, parts as never).snapshot([], "fleet");
  if (fleet === undefined) throw new Error("there is no fleet");
  return encodeFleet(fleet);
}

describe("a replica that says the most extreme things it can", () => {
  it("silences no other, makes no figure of theirs nonsense, and does not break Metrics (property)", () => {
    const evidence = { limitsOf: () => ({ requestsPerMinute: 60, tokensPerMinute: 100_000 }) };
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), fc.nat(1_000), (steps, seed) => {
        const fleet = new FleetBench({
          ...{ replicaCount: 4, providers: ["p", "q"], played: [LIAR], seed, evidence },
        });
        const honest = HONEST_IDS.map((_, index) => fleet.replica(index));
        for (const { lie: said, honest: what, gapMs } of steps) {
          act(fleet.replica(0), what);
          lie(fleet, fleet.replica(0).deployments, said);
          fleet.advance(gapMs);
        }
        fleet.advance(12_000);
        const refusals = () => honest.map(({ exchange }) => [...exchange.inbox.refused]);
        const before = refusals();
        for (const [index, replica] of honest.entries()) {
          const others = HONEST_IDS.filter((_, place) => place !== index);
          expect(replica.table.listLiveReplicas()).to.include.members(others);
          const { successMean, headroomRatio, inFlightCount, cooldownUntilMs } = replica.view();
          const { healthScore, credentialDisabledUntilMs } = replica.view();
          const figures = [successMean, headroomRatio, inFlightCount, healthScore];
          for (const figure of [...figures, cooldownUntilMs, credentialDisabledUntilMs]) {
            expect(Number.isFinite(figure)).to.equal(true);
          }
          const metrics = describeFleet(replica);
          toBinary(FleetMetricsSchema, metrics);
          toJsonString(FleetMetricsSchema, metrics);
        }
        // Now only the honest ones speak.
        fleet.advance(25_000);
        expect(refusals()).to.deep.equal(before);
        fleet.close();
      }),
      { numRuns: 60 },
    );
  }).timeout(60_000);
});
