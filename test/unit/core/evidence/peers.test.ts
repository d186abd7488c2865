import { expect } from "chai";
import fc from "fast-check";
import { findMutedReplicas, type ProviderSight } from "../../../../src/core/evidence/peer-muting.ts";
import { findLeaseOwner, LEASE_EPOCH_MS, mayProbe } from "../../../../src/core/evidence/probe-lease.ts";
import { admitsSuspect, isSuspect } from "../../../../src/core/evidence/suspicion.ts";

describe("the rule of suspicion", () => {
  it("makes suspect what the fleet's evidence would trip, while the own breaker is closed", () => {
    const facts = { fleetStatistic: 9.66, threshold: 9, breakerClosed: true };
    expect(isSuspect(facts)).to.equal(true);
    expect(isSuspect({ ...facts, fleetStatistic: 8.9 })).to.equal(false);
    expect(isSuspect({ ...facts, breakerClosed: false })).to.equal(false);
  });

  it("lets one attempt verify, and never leaves a request without a candidate", () => {
    const rows: [boolean, boolean, number, boolean][] = [
      [false, false, 3, true],
      [true, false, 3, true],
      [true, true, 3, false],
      [true, true, 0, true],
    ];
    for (const [suspect, verifying, others, admitted] of rows) {
      expect(admitsSuspect(suspect, verifying, others)).to.equal(admitted);
    }
  });
});

describe("the lease of a probe", () => {
  const replicas = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 });
  const wall = fc.nat(2_000_000_000);

  it("has exactly one owner, the same whoever asks and in whatever order (property)", () => {
    fc.assert(
      fc.property(replicas, wall, (live, wallMs) => {
        const owner = findLeaseOwner("d", live, wallMs);
        expect(live).to.include(owner);
        expect(findLeaseOwner("d", live.toReversed(), wallMs)).to.equal(owner);
        expect(live.filter((replica) => mayProbe(replica, "d", live, wallMs, 0))).to.deep.equal([owner]);
      }),
    );
  });

  it("goes to another replica only when its owner dies (property)", () => {
    fc.assert(
      fc.property(replicas, wall, fc.nat(), (live, wallMs, which) => {
        const owner = findLeaseOwner("d", live, wallMs);
        const dead = live[which % live.length];
        const rest = live.filter((replica) => replica !== dead);
        if (dead !== owner) expect(findLeaseOwner("d", rest, wallMs)).to.equal(owner);
        else expect(findLeaseOwner("d", rest, wallMs)).to.not.equal(owner);
      }),
    );
  });

  it("stays for 3 s and comes round to everybody", () => {
    const live = ["a", "b", "c"];
    const owners = Array.from({ length: 60 }, (_, epoch) =>
      findLeaseOwner("d", live, epoch * LEASE_EPOCH_MS),
    );
    expect(new Set(owners).size).to.equal(3);
    expect(findLeaseOwner("d", live, 3_000)).to.equal(findLeaseOwner("d", live, 5_999));
  });

  it("is anybody's after two epochs without a probe, and a lone replica's at once", () => {
    for (const replica of ["a", "b", "c"]) {
      expect(mayProbe(replica, "d", ["a", "b", "c"], 0, 2 * LEASE_EPOCH_MS)).to.equal(true);
    }
    expect(mayProbe("a", "d", [], 0, 0)).to.equal(true);
  });
});

describe("the muting of replicas", () => {
  const sights = (rates: Readonly<Record<string, readonly number[]>>): readonly ProviderSight[] =>
    Object.entries(rates).flatMap(([replicaId, failed]) =>
      failed.map((failedCount, provider) => ({
        replicaId,
        provider: `p${provider}`,
        endedCount: 100,
        failedCount,
      })),
    );

  it("mutes who fails everywhere while the others do not", () => {
    expect([
      ...findMutedReplicas(sights({ a: [1, 0, 2], b: [0, 1, 0], cutOff: [90, 95, 100] })),
    ]).to.deep.equal(["cutOff"]);
  });

  it("believes who fails at two providers only", () => {
    expect(findMutedReplicas(sights({ a: [1, 0, 2], b: [0, 1, 0], c: [90, 95, 3] })).size).to.equal(0);
  });

  it("believes everybody in a common outage", () => {
    expect(findMutedReplicas(sights({ a: [90, 95, 99], b: [95, 90, 99], c: [99, 99, 90] })).size).to.equal(0);
  });

  it("believes most replicas, whatever numbers of successes the others claim", () => {
    const outage = sights({ a: [50, 50, 50], b: [50, 50, 50], c: [50, 50, 50] });
    const liars = sights({ liar1: [0, 0, 0], liar2: [0, 0, 0] }).map((sight) => ({
      ...sight,
      endedCount: 1_000_000,
    }));
    expect(findMutedReplicas([...outage, ...liars]).size).to.equal(0);
  });

  it("does not judge on a handful of attempts, or without anybody to compare with", () => {
    const few = sights({ a: [1, 0, 2], b: [4, 4, 4] }).map((sight) =>
      sight.replicaId === "b" ? { ...sight, endedCount: 4 } : sight,
    );
    expect(findMutedReplicas(few).size).to.equal(0);
    expect(findMutedReplicas(sights({ alone: [100, 100, 100] })).size).to.equal(0);
  });
});
