import { expect } from "chai";
import fc from "fast-check";
import { BucketSeries, COUNTERS, type SeriesValue } from "../../../../src/core/evidence/bucket-series.ts";
import { FleetEvidence } from "../../../../src/core/evidence/fleet-evidence.ts";
import { LatencySeries } from "../../../../src/core/evidence/latency-series.ts";
import { joinRegisters, type Register } from "../../../../src/core/evidence/register.ts";
import type { ReplicaEvidence } from "../../../../src/core/evidence/replica-evidence.ts";
import { computeTripStatistic, makeTripSums } from "../../../../src/core/evidence/trip-statistic.ts";
import { seededRandom } from "../../../../src/lib/random.ts";

const anyEvents = fc.array(fc.tuple(fc.nat(30_000), fc.constantFrom(...COUNTERS), fc.nat(5)), {
  maxLength: 30,
});
type Events = readonly (readonly [number, (typeof COUNTERS)[number], number])[];

function toSeriesValue(events: Events): SeriesValue {
  const series = new BucketSeries();
  for (const [nowMs, counter, amount] of events.toSorted(([a], [b]) => a - b)) {
    series.record(nowMs, counter, amount);
  }
  return series.toValue();
}

function join(...values: readonly SeriesValue[]): SeriesValue {
  const series = new BucketSeries();
  for (const value of values) series.merge(value);
  return series.toValue();
}

/** What a replica says at each moment of its life, and what it has counted by its end. */
function messagesOf(replicaId: string, incarnation: number, events: Events): readonly ReplicaEvidence[] {
  const series = new BucketSeries();
  return events
    .toSorted(([a], [b]) => a - b)
    .map(([nowMs, counter, amount], sequence) => {
      series.record(nowMs, counter, amount);
      const value = series.toValue(2, 2);
      return {
        replicaId,
        incarnation,
        sequence,
        deploymentId: "d",
        sentMs: nowMs,
        inFlightCount: 0,
        series: value,
      };
    });
}

function listen(messages: readonly ReplicaEvidence[], nowMs = 30_000): FleetEvidence {
  const fleet = new FleetEvidence();
  for (const message of messages) fleet.merge(message, nowMs, new Float64Array(2));
  return fleet;
}

function statisticOf(fleet: FleetEvidence, nowMs: number): number {
  const sums = makeTripSums();
  fleet.addTripSums(nowMs, () => 1, sums);
  return computeTripStatistic(sums);
}

describe("the merge of replicas' evidence", () => {
  it("is commutative, associative and idempotent (property)", () => {
    fc.assert(
      fc.property(anyEvents, anyEvents, anyEvents, (left, middle, right) => {
        const [a, b, c] = [toSeriesValue(left), toSeriesValue(middle), toSeriesValue(right)];
        expect(join(a, b)).to.deep.equal(join(b, a));
        expect(join(join(a, b), c)).to.deep.equal(join(a, join(b, c)));
        expect(join(a, a)).to.deep.equal(join(a));
        expect(join(join(a, b), b)).to.deep.equal(join(a, b));
      }),
    );
  });

  it("never lowers a counter (property)", () => {
    fc.assert(
      fc.property(anyEvents, anyEvents, (left, right) => {
        const series = new BucketSeries();
        series.merge(toSeriesValue(left));
        const before = COUNTERS.map((counter) => series.sum(40_000, 120_000, counter));
        series.merge(toSeriesValue(right));
        for (const [position, counter] of COUNTERS.entries()) {
          expect(series.sum(40_000, 120_000, counter)).to.be.at.least(before[position] ?? 0);
        }
      }),
    );
  });

  it("ends in the same state for every order, repetition and loss, once a digest has come (property)", () => {
    fc.assert(
      fc.property(anyEvents, anyEvents, fc.integer(), (left, right, seed) => {
        const random = seededRandom(seed);
        const digestOf = (replicaId: string, events: Events): ReplicaEvidence => ({
          ...{ replicaId, incarnation: 1, sequence: 1_000, deploymentId: "d", inFlightCount: 3 },
          ...{ sentMs: 30_000, series: toSeriesValue(events) },
        });
        const all = [...messagesOf("a", 1, left), ...messagesOf("b", 1, right)];
        const digests = [digestOf("a", left), digestOf("b", right)];
        // Each replica hears some of it, some twice, in any order, and the digest some time.
        const hear = () => {
          const heard = [...all, ...all].filter(() => random.next() < 0.6);
          const mixed = [...heard, ...digests].map((message) => ({ message, key: random.next() }));
          return listen(mixed.toSorted((a, b) => a.key - b.key).map(({ message }) => message));
        };
        const [one, two] = [hear(), hear()];
        expect(one.toValue()).to.deep.equal(two.toValue());
        expect(statisticOf(one, 30_000)).to.equal(statisticOf(two, 30_000));
      }),
    );
  });

  it("counts nothing twice when a replica starts anew (property)", () => {
    fc.assert(
      fc.property(anyEvents, anyEvents, fc.boolean(), (before, after, reversed) => {
        const digest = (incarnation: number, events: Events): ReplicaEvidence => ({
          ...{ replicaId: "a", incarnation, sequence: 1, deploymentId: "d", inFlightCount: 0 },
          ...{ sentMs: 30_000, series: toSeriesValue(events) },
        });
        const messages = [digest(1, before), digest(2, after), digest(1, before), digest(2, after)];
        const fleet = listen(reversed ? messages.toReversed() : messages);
        const failures = [...before, ...after].filter(([, counter]) => counter === "hard");
        const advice = fleet.summarize("a", 30_000).failedCount;
        expect(advice).to.equal(failures.reduce((sum, [, , amount]) => sum + amount, 0));
      }),
    );
  });

  it("keeps the two newest incarnations of a replica, whatever the order", () => {
    const digest = (incarnation: number): ReplicaEvidence => ({
      ...{ replicaId: "a", incarnation, sequence: 1, deploymentId: "d", inFlightCount: 0 },
      ...{ sentMs: 30_000, series: toSeriesValue([[29_000, "hard", 1]]) },
    });
    const keys = (order: readonly number[]) =>
      listen(order.map(digest))
        .toValue()
        .map(({ key }) => key);
    expect(keys([1, 2, 3])).to.deep.equal(["a/2", "a/3"]);
    expect(keys([3, 1, 2])).to.deep.equal(["a/2", "a/3"]);
  });

  it("does not care how wrong the sender's clock is, or when it began (property)", () => {
    // From a sender that began a month after this replica to one that began a month before.
    const skew = fc.oneof(fc.integer({ min: -5_000, max: 5_000 }), fc.integer({ min: -2e9, max: 2e9 }));
    fc.assert(
      fc.property(anyEvents, skew, fc.nat(900), (events, skewMs, delayMs) => {
        const bent = events.map(([atMs, counter, amount]) => [atMs + skewMs, counter, amount] as const);
        const message = { replicaId: "a", incarnation: 1, sequence: 1, deploymentId: "d", inFlightCount: 0 };
        const sent = { ...message, sentMs: 30_000 + skewMs, series: toSeriesValue(bent) };
        const heard = listen([sent], 30_000 + delayMs).summarize("a", 30_000 + delayMs);
        // Nothing is older than half of the window, so all of it counts.
        const ended = events.filter(([, counter]) => counter === "ok" || counter === "hard");
        expect(heard.endedCount).to.equal(ended.reduce((sum, [, , amount]) => sum + amount, 0));
      }),
    );
  });

  it("drops a message that was held up on the way for more than 5 s", () => {
    const fleet = new FleetEvidence();
    const [quick, held] = [10_000, 11_000].map((sentMs, sequence) => ({
      ...{ replicaId: "a", incarnation: 1, sequence, deploymentId: "d", inFlightCount: 0, sentMs },
      series: toSeriesValue([[sentMs, "hard", 3]]),
    }));
    if (quick === undefined || held === undefined) throw new Error("two messages");
    expect(fleet.merge(quick, 10_100, new Float64Array(2))).to.equal("merged");
    expect(fleet.merge(held, 17_000, new Float64Array(2))).to.equal("late");
    expect(fleet.merge({ ...held, replicaId: "" }, 17_000, new Float64Array(2))).to.equal("invalid");
  });

  it("keeps no more replicas than it can, and forgets those that are gone", () => {
    const fleet = new FleetEvidence();
    const from = (replicaId: string, sentMs: number): ReplicaEvidence => ({
      ...{ replicaId, incarnation: 1, sequence: 1, deploymentId: "d", inFlightCount: 0, sentMs },
      series: { fine: [], coarse: [] },
    });
    for (let each = 0; each < 256; each++) fleet.merge(from(`r${each}`, 0), 1_000, new Float64Array(2));
    expect(fleet.merge(from("more", 0), 1_000, new Float64Array(2))).to.equal("too_many_replicas");
    expect(fleet.merge(from("more", 200_000), 201_000, new Float64Array(2))).to.equal("merged");
    expect(fleet.toValue()).to.have.length(1);
  });

  it("tells once what others have spent, however often they say it", () => {
    const fleet = new FleetEvidence();
    const message: ReplicaEvidence = {
      ...{ replicaId: "a", incarnation: 1, sequence: 1, deploymentId: "d", inFlightCount: 2, sentMs: 10_000 },
      series: toSeriesValue([
        [9_000, "started", 3],
        [9_500, "reservedTokens", 700],
      ]),
    };
    const spent = new Float64Array(2);
    for (let time = 0; time < 3; time++) fleet.merge(message, 10_000, spent);
    expect([...spent]).to.deep.equal([3, 700]);
  });

  it("takes a silent replica to be as busy as this one, until it is gone", () => {
    const fleet = listen([
      {
        ...{
          replicaId: "a",
          incarnation: 1,
          sequence: 1,
          deploymentId: "d",
          inFlightCount: 2,
          sentMs: 10_000,
        },
        series: { fine: [], coarse: [] },
      },
    ]);
    expect([34_000, 36_000, 50_000].map((nowMs) => fleet.inFlightCount(nowMs, 7))).to.deep.equal([2, 7, 0]);
  });
});

describe("the merge of registers", () => {
  it("is commutative, associative and idempotent (property)", () => {
    // Around the end of the numbers too, where 0 follows the highest.
    const register: fc.Arbitrary<Register> = fc.record({
      epoch: fc.integer({ min: -2, max: 3 }).map((epoch) => epoch >>> 0),
      value: fc.nat(3),
      replicaId: fc.constantFrom("a", "b"),
    });
    fc.assert(
      fc.property(register, register, register, (a, b, c) => {
        expect(joinRegisters(a, b)).to.deep.equal(joinRegisters(b, a));
        expect(joinRegisters(joinRegisters(a, b), c)).to.deep.equal(joinRegisters(a, joinRegisters(b, c)));
        expect(joinRegisters(a, a)).to.deep.equal(a);
        expect(joinRegisters(a, b).epoch).to.equal(Math.max(a.epoch | 0, b.epoch | 0) >>> 0);
      }),
    );
  });
});

describe("the merge of latency histograms", () => {
  const samples = fc.array(fc.tuple(fc.nat(100_000), fc.integer({ min: 1, max: 200_000 })), {
    maxLength: 20,
  });
  const fill = (events: readonly (readonly [number, number])[]) => {
    const series = new LatencySeries();
    for (const [nowMs, ms] of events.toSorted(([a], [b]) => a - b)) series.record(nowMs, ms);
    return series.toValue();
  };
  const joinAll = (...parts: readonly ReturnType<typeof fill>[]) => {
    const series = new LatencySeries();
    for (const part of parts) series.merge(part);
    return series.toValue();
  };

  it("is commutative, associative and idempotent (property)", () => {
    fc.assert(
      fc.property(samples, samples, samples, (left, middle, right) => {
        const [a, b, c] = [fill(left), fill(middle), fill(right)];
        expect(joinAll(a, b)).to.deep.equal(joinAll(b, a));
        expect(joinAll(joinAll(a, b), c)).to.deep.equal(joinAll(a, joinAll(b, c)));
        expect(joinAll(a, a)).to.deep.equal(a);
      }),
      { numRuns: 50 },
    );
  });
});
