import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect } from "chai";
import fc from "fast-check";
import { HealthMessageSchema } from "../../../gen/sluice/v1/events_pb.ts";
import { COUNTERS } from "../../../src/core/evidence/bucket-series.ts";
import {
  decodeHealthMessage,
  decodeSnapshot,
  decodeSnapshotRequest,
  MAX_MESSAGE_BYTES,
} from "../../../src/fleet/decode-health.ts";
import {
  boundDeploymentBytes,
  encodeHealthMessage,
  encodeSnapshot,
  encodeSnapshotRequest,
  measureDeployment,
} from "../../../src/fleet/encode-health.ts";
import type { DeploymentReport, EvidenceReport, ReplicaHeader } from "../../../src/fleet/health-message.ts";

const HEADER: ReplicaHeader = {
  replicaId: "replica 1",
  incarnation: 1_700_000_000_000,
  sequence: 7,
  sentMs: 90_000,
  version: "0.1.0",
  uptimeMs: 42_000,
  draining: false,
};

const count = fc.nat(5_000);
const bucket = (maxIndex: number) =>
  fc.record({
    index: fc.nat(maxIndex),
    values: fc.array(count, { minLength: COUNTERS.length, maxLength: COUNTERS.length }),
  });
const buckets = (maxIndex: number, maxLength: number) =>
  fc.uniqueArray(bucket(maxIndex), { maxLength, selector: ({ index }) => index });
const register = fc.record({
  epoch: fc.nat(2 ** 31 - 1),
  value: fc.nat(),
  replicaId: fc.string({ minLength: 1, maxLength: 20 }),
});
const timed = fc.record({ register, remainingMs: fc.nat(3_600_000) });
const reading = fc
  .record({ limit: fc.integer({ min: 1, max: 1e6 }), ratio: fc.nat(100), resetMs: fc.nat(60_000) })
  .map(({ limit, ratio, resetMs }) => ({ limit, remaining: (limit * ratio) / 100, resetMs }));
const deployment: fc.Arbitrary<DeploymentReport> = fc.record({
  deploymentId: fc.string({ minLength: 1, maxLength: 30 }),
  inFlightCount: fc.nat(1_000),
  healthScore: fc.double({ min: 0, max: 1, noNaN: true }),
  series: fc.record({ fine: buckets(90, 16), coarse: buckets(18, 19) }),
  breaker: fc.record({
    state: fc.constantFrom("closed" as const, "open" as const, "half_open" as const),
    epoch: fc.nat(1_000),
    closedMs: fc.nat(90_000),
    probeDelayMs: fc.nat(60_000),
  }),
  registers: fc.record(
    {
      cooldown: timed,
      quota: fc.record({
        register,
        ageMs: fc.nat(60_000),
        headers: fc.record({ requests: reading, tokens: reading }, { requiredKeys: [] }),
      }),
    },
    { requiredKeys: [] },
  ),
});
const report: fc.Arbitrary<EvidenceReport> = fc.record({
  deployments: fc.uniqueArray(deployment, { maxLength: 4, selector: ({ deploymentId }) => deploymentId }),
  credentials: fc.uniqueArray(fc.record({ provider: fc.string({ maxLength: 20 }), disabled: timed }), {
    maxLength: 3,
    selector: ({ provider }) => provider,
  }),
});

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe("the codec of evidence", () => {
  it("gives back what was encoded, for each kind of message", () => {
    fc.assert(
      fc.property(
        report,
        fc.constantFrom("delta" as const, "digest" as const, "urgent" as const),
        (sent, kind) => {
          const bytes = encodeHealthMessage(HEADER, kind, sent);
          fc.pre(bytes.length <= MAX_MESSAGE_BYTES);
          expect(plain(decodeHealthMessage(bytes, "replica 1"))).to.deep.equal(
            plain({ message: { header: HEADER, kind, report: sent } }),
          );
          expect(plain(decodeSnapshot(encodeSnapshot(HEADER, sent)))).to.deep.equal(
            plain({ message: { header: HEADER, kind: "snapshot", report: sent } }),
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  it("takes the longest id that a configuration can make", () => {
    const [sample] = fc.sample(deployment, { numRuns: 1, seed: 1 });
    if (sample === undefined) throw new Error("there is no sample");
    const deploymentId = `${"p".repeat(64)}/${"m".repeat(200)}`;
    const sent = { deployments: [{ ...sample, deploymentId }], credentials: [] };
    expect(decodeHealthMessage(encodeHealthMessage(HEADER, "delta", sent), "replica 1")).to.have.property(
      "message",
    );
  });

  it("never takes more for a deployment than its bound says, whatever the numbers and texts are", () => {
    const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(deployment, name, fc.constantFrom(1, 2 ** 53 - 1), (each, deploymentId, value) => {
        const values = COUNTERS.map(() => value);
        const grow = (ring: typeof each.series.fine) => ring.map(() => ({ index: 2 ** 32 - 1, values }));
        const series = { fine: grow(each.series.fine), coarse: grow(each.series.coarse) };
        const mine = { ...each, deploymentId, series };
        expect(measureDeployment(mine)).to.be.at.most(boundDeploymentBytes(mine));
      }),
      { numRuns: 300 },
    );
  });

  it("gives back the header of a question", () => {
    expect(decodeSnapshotRequest(encodeSnapshotRequest(HEADER))).to.deep.equal({
      message: { header: HEADER },
    });
  });

  it("refuses or reads any bytes, without an exception", () => {
    const sample = fc.sample(report, { numRuns: 1, seed: 1 })[0] ?? { deployments: [], credentials: [] };
    const valid = encodeHealthMessage(HEADER, "digest", sample);
    const mutated = fc
      .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
      .map((changes) => {
        const bytes = valid.slice();
        for (const [position, value] of changes) bytes[position] = value;
        return bytes;
      });
    const cut = fc.nat(valid.length).map((length) => valid.slice(0, length));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated, cut), (bytes) => {
        for (const decoded of [
          decodeHealthMessage(bytes, "replica 1"),
          decodeSnapshot(bytes),
          decodeSnapshotRequest(bytes),
        ]) {
          expect("message" in decoded || ["invalid", "wrong_sender"].includes(decoded.refused)).to.equal(
            true,
          );
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("refuses a message of another replica than its subject's", () => {
    const bytes = encodeHealthMessage(HEADER, "delta", { deployments: [], credentials: [] });
    expect(decodeHealthMessage(bytes, "replica 2")).to.deep.equal({ refused: "wrong_sender" });
  });

  it("refuses what is longer than any message may be, unread", () => {
    expect(decodeHealthMessage(new Uint8Array(MAX_MESSAGE_BYTES + 1), "r")).to.deep.equal({
      refused: "too_large",
    });
  });

  const series = { fine: [], coarse: [] };
  const base = { deploymentId: "d", inFlightCount: 0, healthScore: 1, series, registers: {} };
  const counters = (values: readonly number[]) => COUNTERS.map((_, field) => values[field] ?? 0);
  const wrong: readonly [string, DeploymentReport][] = [
    [
      "a bucket after the time of sending",
      { ...base, series: { fine: [{ index: 91, values: counters([]) }], coarse: [] } },
    ],
    [
      "a bucket twice",
      {
        ...base,
        series: {
          fine: [
            { index: 9, values: counters([]) },
            { index: 9, values: counters([]) },
          ],
          coarse: [],
        },
      },
    ],
    ["too many attempts in flight", { ...base, inFlightCount: 1_000_001 }],
    ["a score above 1", { ...base, healthScore: 1.5 }],
    ["a score that is no number", { ...base, healthScore: Number.NaN }],
    [
      "a breaker that closes in the future",
      { ...base, breaker: { state: "closed", epoch: 1, closedMs: 90_001, probeDelayMs: 0 } },
    ],
    [
      "a register of nobody",
      {
        ...base,
        registers: { cooldown: { register: { epoch: 1, value: 1, replicaId: "" }, remainingMs: 1 } },
      },
    ],
    [
      "more left than the limit",
      {
        ...base,
        registers: {
          quota: {
            register: { epoch: 1, value: 1, replicaId: "r" },
            ageMs: 0,
            headers: { requests: { limit: 1, remaining: 2, resetMs: 0 } },
          },
        },
      },
    ],
    ["an id that is too long", { ...base, deploymentId: "d".repeat(321) }],
  ];
  for (const [name, deploymentReport] of wrong) {
    it(`refuses ${name}`, () => {
      const bytes = encodeHealthMessage(HEADER, "delta", {
        deployments: [deploymentReport],
        credentials: [],
      });
      expect(decodeHealthMessage(bytes, "replica 1")).to.deep.equal({ refused: "invalid" });
    });
  }

  it("refuses more events than a second can have", () => {
    const fine = [{ index: 9, values: counters([1]) }];
    const bytes = encodeHealthMessage(HEADER, "delta", {
      deployments: [{ ...base, series: { fine, coarse: [] } }],
      credentials: [],
    });
    const message = fromBinary(HealthMessageSchema, bytes);
    const bucket = message.content.value?.deployments[0]?.fineBuckets[0];
    if (bucket === undefined) throw new Error("no bucket was encoded");
    bucket.startedCount = 100_001;
    expect(decodeHealthMessage(toBinary(HealthMessageSchema, message), "replica 1")).to.deep.equal({
      refused: "invalid",
    });
  });

  it("tells counters that are beyond what receivers take as the most that they take", () => {
    const most = COUNTERS.map(() => Number.MAX_SAFE_INTEGER);
    const ring = [{ index: 9, values: most }];
    const bytes = encodeHealthMessage(HEADER, "delta", {
      deployments: [{ ...base, series: { fine: ring, coarse: ring } }],
      credentials: [],
    });
    const decoded = decodeHealthMessage(bytes, "replica 1");
    if (!("message" in decoded)) throw new Error(`it is refused: ${decoded.refused}`);
    const [told] = decoded.message.report.deployments;
    expect(told?.series.fine[0]?.values).to.deep.equal([1e5, 1e5, 1e5, 1e5, 1e5, 1e9, 1e9]);
    expect(told?.series.coarse[0]?.values.slice(0, 2)).to.deep.equal([5e5, 5e5]);
  });

  it("refuses an uptime that no replica can have", () => {
    const report = { deployments: [], credentials: [] };
    const read = (years: number) => {
      const uptimeMs = years * 365.25 * 86_400_000;
      return decodeHealthMessage(encodeHealthMessage({ ...HEADER, uptimeMs }, "delta", report), "replica 1");
    };
    expect(read(100)).to.have.property("message");
    expect(read(101)).to.deep.equal({ refused: "invalid" });
  });

  it("refuses the same deployment twice in one message", () => {
    const bytes = encodeHealthMessage(HEADER, "delta", { deployments: [base, base], credentials: [] });
    expect(decodeHealthMessage(bytes, "replica 1")).to.deep.equal({ refused: "invalid" });
  });

  it("reads a newer version's message: unknown fields are passed over, an unknown state says nothing", () => {
    const breaker = { state: "open" as const, epoch: 1, closedMs: 0, probeDelayMs: 0 };
    const bytes = encodeHealthMessage(HEADER, "delta", {
      deployments: [{ ...base, breaker }],
      credentials: [],
    });
    const message = fromBinary(HealthMessageSchema, bytes);
    const deployment = message.content.value?.deployments[0];
    if (deployment?.breaker === undefined) throw new Error("no breaker was encoded");
    // A state 17 that this version has no name for.
    deployment.breaker.state = 17 as never;
    // Field 900, wire type 2, three bytes.
    const unknownField = [0xa2, 0x38, 3, 1, 2, 3];
    const newer = Uint8Array.from([...toBinary(HealthMessageSchema, message), ...unknownField]);
    const decoded = decodeHealthMessage(newer, "replica 1");
    expect(plain(decoded)).to.deep.equal(
      plain({ message: { header: HEADER, kind: "delta", report: { deployments: [base], credentials: [] } } }),
    );
  });

  it("keeps the header of a message whose content is of a newer version", () => {
    const header = fromBinary(
      HealthMessageSchema,
      encodeHealthMessage(HEADER, "delta", { deployments: [], credentials: [] }),
    ).header;
    const bytes = toBinary(
      HealthMessageSchema,
      create(HealthMessageSchema, header === undefined ? {} : { header }),
    );
    expect(decodeHealthMessage(bytes, "replica 1")).to.deep.equal({
      message: { header: HEADER, kind: "unknown", report: { deployments: [], credentials: [] } },
    });
  });
});
