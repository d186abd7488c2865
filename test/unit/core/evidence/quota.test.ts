import { expect } from "chai";
import fc from "fast-check";
import { AdmittedRate } from "../../../../src/core/evidence/admitted-rate.ts";
import { computeQuotaShare, Quota } from "../../../../src/core/evidence/quota.ts";
import { RateBucket } from "../../../../src/core/evidence/rate-bucket.ts";
import { seededRandom } from "../../../../src/lib/random.ts";

describe("the token bucket of a limit", () => {
  it("holds 15 s' worth and fills continuously", () => {
    const bucket = new RateBucket(60, 0);
    expect(bucket.capacity).to.equal(15);
    for (let taken = 0; taken < 15; taken++) bucket.take(1, 0);
    expect(bucket.headroomRatio(0)).to.equal(0);
    expect(bucket.headroomRatio(7_500)).to.be.closeTo(0.5, 1e-9);
    expect(bucket.headroomRatio(60_000)).to.equal(1);
  });

  it("is the same again after an amount was taken and given back (property)", () => {
    const amount = fc.integer({ min: 0, max: 6_000 });
    fc.assert(
      fc.property(fc.array(amount, { maxLength: 5 }), amount, amount, (before, reserved, actual) => {
        const [one, two] = [new RateBucket(6_000, 0), new RateBucket(6_000, 0)];
        for (const each of before) {
          one.take(each, 0);
          two.take(each, 0);
        }
        const taken = one.take(reserved, 0);
        one.settle(taken, actual, 0);
        two.take(actual, 0);
        expect(one.headroomRatio(0)).to.be.closeTo(two.headroomRatio(0), 1e-9);
      }),
    );
  });

  it("keeps what is missing when the limit changes", () => {
    const bucket = new RateBucket(60, 0);
    bucket.take(10, 0);
    bucket.setRate(120, 0);
    expect(bucket.headroomRatio(0)).to.be.closeTo(20 / 30, 1e-9);
  });

  it("owes nothing for what others have spent, and a minute's worth at most after the limit was lowered", () => {
    const bucket = new RateBucket(60, 0);
    for (let spent = 0; spent < 1_000; spent++) bucket.takeElsewhere(1, 0);
    expect(bucket.holds(1, 999)).to.equal(false);
    expect(bucket.holds(1, 1_000)).to.equal(true);
    const lowered = new RateBucket(6_000, 0);
    lowered.take(1_400, 0);
    lowered.setRate(60, 0);
    expect(lowered.holds(1, 45_999)).to.equal(false);
    expect(lowered.holds(1, 46_000)).to.equal(true);
  });

  it("is never above its capacity nor below 0, whatever comes (property)", () => {
    const wild = fc.double();
    fc.assert(
      fc.property(fc.array(fc.tuple(wild, wild, wild)), wild, (steps, nowMs) => {
        const bucket = new RateBucket(100, 0);
        for (const [atMs, amount, actual] of steps) bucket.settle(bucket.take(amount, atMs), actual, atMs);
        expect(bucket.headroomRatio(nowMs)).to.be.within(0, 1);
      }),
    );
  });
});

describe("the quota of a deployment", () => {
  it("has all the headroom while no limit is known", () => {
    const quota = new Quota({});
    for (let attempt = 0; attempt < 1_000; attempt++) quota.reserve(0, 10_000);
    expect(quota.headroomRatio(0)).to.equal(1);
  });

  it("has the headroom of the tighter limit", () => {
    const quota = new Quota({ requestsPerMinute: 40, tokensPerMinute: 4_000 });
    quota.reserve(0, 500);
    expect(quota.headroomRatio(0)).to.be.closeTo(0.5, 1e-9);
  });

  it("gives back what was reserved and not used, and charges what was used beyond it", () => {
    const quota = new Quota({ tokensPerMinute: 4_000 });
    const [short, long] = [quota.reserve(0, 300), quota.reserve(0, 300)];
    quota.settle(0, short, 100);
    expect(quota.headroomRatio(0)).to.be.closeTo(0.6, 1e-9);
    quota.settle(0, long, 500);
    expect(quota.headroomRatio(0)).to.be.closeTo(0.4, 1e-9);
    quota.settle(0, quota.reserve(0, 100), undefined);
    expect(quota.headroomRatio(0)).to.be.closeTo(0.3, 1e-9);
  });

  it("takes the provider's word for what is left, and fills it until the reset", () => {
    const quota = new Quota({});
    quota.readHeaders(0, { requests: { limit: 100, remaining: 20, resetMs: 40_000 } });
    expect(quota.headroomRatio(0)).to.be.closeTo(0.2, 1e-9);
    expect(quota.headroomRatio(20_000)).to.be.closeTo(0.6, 1e-9);
    expect(quota.headroomRatio(40_000)).to.equal(1);
  });

  it("has it all after a reset that is now", () => {
    const quota = new Quota({});
    quota.readHeaders(0, { requests: { limit: 100, remaining: 0, resetMs: 0 } });
    expect(quota.headroomRatio(0)).to.equal(1);
  });

  const absurd: [string, number, number, number][] = [
    ["no limit", 0, 0, 1_000],
    ["a negative limit", -1, -1, 1_000],
    ["more left than the limit", 100, 101, 1_000],
    ["a negative rest", 100, -1, 1_000],
    ["an infinite limit", Number.POSITIVE_INFINITY, 1, 1_000],
    ["what is no number", Number.NaN, Number.NaN, Number.NaN],
  ];
  for (const [name, limit, remaining, resetMs] of absurd) {
    it(`leaves out headers that say ${name}`, () => {
      const quota = new Quota({});
      quota.readHeaders(0, {
        requests: { limit, remaining, resetMs },
        tokens: { limit, remaining, resetMs },
      });
      expect(quota.headroomRatio(0)).to.equal(1);
    });
  }

  it("takes a reset time that makes no sense for a minute", () => {
    const quota = new Quota({});
    quota.readHeaders(0, { requests: { limit: 100, remaining: 0, resetMs: -5 } });
    expect(quota.headroomRatio(30_000)).to.be.closeTo(0.5, 1e-9);
  });

  it("admits less after a refusal, also where no limit is known", () => {
    const [known, unknown] = [new Quota({ requestsPerMinute: 40 }), new Quota({})];
    for (const quota of [known, unknown]) quota.noteRefusal(0, false, 0.5);
    expect(known.headroomRatio(0)).to.equal(0);
    expect(known.headroomRatio(10_000)).to.be.within(0.4, 0.8);
    expect(unknown.headroomRatio(0)).to.be.closeTo(0.7, 1e-9);
  });

  it("paces those who wait by this replica's even share of the whole limits, whatever was cut of them", () => {
    const quota = new Quota({ requestsPerMinute: 60, tokensPerMinute: 6_000 }, () => 4);
    expect(new Quota({}).spacingMs(0)).to.equal(undefined);
    quota.reserve(0, 300);
    quota.noteRefusal(0, false, 0.5);
    // 300 tokens of 1,500 a minute take longer than one request of 15.
    expect(quota.spacingMs(0)).to.equal(12_000);
  });

  it("tells when there is room for one more attempt of every replica", () => {
    const quota = new Quota({ requestsPerMinute: 60 }, () => 4);
    for (let attempt = 0; attempt < 15; attempt++) quota.reserve(0, 0);
    expect(quota.roomDelayMs(0)).to.equal(4_000);
    expect(quota.roomDelayMs(3_000)).to.equal(1_000);
    expect(quota.roomDelayMs(4_000)).to.equal(0);
    expect(new Quota({}).roomDelayMs(0)).to.equal(undefined);
  });

  it("has none left when less than one more ordinary attempt's worth is left", () => {
    const quota = new Quota({ requestsPerMinute: 8, tokensPerMinute: 40_000 });
    quota.reserve(0, 6_000);
    expect(quota.headroomRatio(0)).to.equal(0);
    const roomy = new Quota({ requestsPerMinute: 8, tokensPerMinute: 40_000 });
    roomy.reserve(0, 4_000);
    expect(roomy.headroomRatio(0)).to.be.closeTo(0.5, 1e-9);
  });

  it("keeps to an even share after a refusal, until the limit is not in doubt any more", () => {
    const spendFor = (replicaCount: number) => {
      const quota = new Quota({ requestsPerMinute: 600 }, () => replicaCount);
      quota.noteRefusal(0, false, 0);
      let count = 0;
      for (let nowMs = 0; nowMs < 30_000; nowMs += 50) {
        if (quota.headroomRatio(nowMs) <= 0.02) continue;
        quota.reserve(nowMs, 0);
        count += 1;
      }
      return count;
    };
    expect(spendFor(1)).to.be.within(180, 300);
    expect(spendFor(4)).to.be.within(45, 78);
  });

  it("keeps its headroom within 0 and 1 whatever it is told (property)", () => {
    const wild = fc.double();
    const reading = fc.record({ limit: wild, remaining: wild, resetMs: wild });
    const step = fc.tuple(wild, reading, reading, wild, wild);
    fc.assert(
      fc.property(wild, fc.array(step, { maxLength: 20 }), wild, (limit, steps, nowMs) => {
        const quota = new Quota({ requestsPerMinute: limit, tokensPerMinute: limit });
        for (const [atMs, requests, tokens, reserved, used] of steps) {
          quota.readHeaders(atMs, { requests, tokens });
          quota.settle(atMs, quota.reserve(atMs, reserved), used);
          quota.noteRefusal(atMs, false, 0.5);
          quota.setShare(used);
          quota.spendElsewhere(atMs, "r", reserved, used, 1, false);
        }
        expect(quota.headroomRatio(nowMs)).to.be.within(0, 1);
      }),
    );
  });

  it("is not overspent by replicas that tell each other late, beyond what is on its way", () => {
    const [replicaCount, perMinute, delayMs, inFlightMost] = [4, 600, 400, 2];
    const random = seededRandom(3);
    const quotas = Array.from({ length: replicaCount }, () => new Quota({ requestsPerMinute: perMinute }));
    const news: { atMs: number; from: number }[] = [];
    let [started, waiting] = [0, 0];
    for (let nowMs = 0; nowMs < 60_000; nowMs += 10) {
      while (news[0] !== undefined && news[0].atMs <= nowMs) {
        const { from } = news.shift() ?? { from: 0 };
        for (const [to, quota] of quotas.entries())
          if (to !== from) quota.spendElsewhere(nowMs, `r${from}`, 1, 0, quotas.length, false);
        waiting -= 1;
      }
      const chosen = Math.floor(random.next() * replicaCount);
      const quota = quotas[chosen];
      const mayStart = news.filter(({ from }) => from === chosen).length < inFlightMost;
      if (quota === undefined || !mayStart || quota.headroomRatio(nowMs) <= 0.02) continue;
      quota.reserve(nowMs, 0);
      started += 1;
      waiting += 1;
      news.push({ atMs: nowMs + delayMs, from: chosen });
    }
    const capacity = perMinute / 4;
    expect(started).to.be.at.most(perMinute + capacity + replicaCount * inFlightMost);
    expect(started).to.be.above(perMinute * 0.9);
    expect(waiting).to.be.at.most(replicaCount * inFlightMost);
  });

  it("is not talked down by others beyond half of the limit that was read here, however often they say less", () => {
    const [lied, told] = [new Quota({}), new Quota({})];
    for (const quota of [lied, told])
      quota.readHeaders(0, { requests: { limit: 6_000, remaining: 6_000, resetMs: 1_000 } });
    for (let limit = 3_000; limit >= 1; limit /= 2)
      lied.readHeadersElsewhere(10_000, { requests: { limit, remaining: limit, resetMs: 1_000 } });
    told.readHeadersElsewhere(10_000, { requests: { limit: 3_000, remaining: 3_000, resetMs: 1_000 } });
    for (const quota of [lied, told]) for (let request = 0; request < 75; request++) quota.reserve(11_000, 0);
    expect(lied.headroomRatio(11_000)).to.be.closeTo(told.headroomRatio(11_000), 1e-9);
    expect(told.headroomRatio(11_000)).to.be.closeTo(0.9, 1e-9);
  });

  it("is shared evenly, and a little more, by a replica that is cut off", () => {
    expect(computeQuotaShare(4, true)).to.equal(1);
    expect(computeQuotaShare(4, false)).to.be.closeTo(0.3, 1e-12);
    expect([1, 0, Number.NaN].map((count) => computeQuotaShare(count, false))).to.deep.equal([1, 1, 1]);
    const quota = new Quota({ requestsPerMinute: 160 });
    quota.setShare(computeQuotaShare(4, false));
    quota.reserve(0, 0);
    expect(quota.headroomRatio(0)).to.be.closeTo(11 / 12, 1e-9);
  });
});

describe("the admitted rate", () => {
  it("comes back sooner by answers to attempts beyond it, until the next refusal", () => {
    const [rate, waiting] = [new AdmittedRate(), new AdmittedRate()];
    for (const each of [rate, waiting]) each.cut(0);
    for (let answer = 0; answer < 6; answer++) rate.noteAnswer();
    expect(rate.ratio(1_000)).to.be.closeTo(waiting.ratio(31_000), 1e-9);
    const before = rate.ratio(40_000);
    rate.cut(40_000);
    expect(rate.ratio(40_000)).to.equal(before * 0.5);
  });

  it("is cut once per second, deeper below the ceiling than at it", () => {
    const rate = new AdmittedRate();
    rate.cut(0);
    expect(rate.ratio(0)).to.be.closeTo(0.7, 1e-9);
    rate.cut(999);
    expect(rate.ratio(999)).to.be.within(0.7, 0.72);
    const before = rate.ratio(1_000);
    rate.cut(1_000);
    expect(rate.ratio(1_000)).to.be.closeTo(before / 2, 1e-9);
  });

  it("comes back to the ceiling, stays near it, and then rises ever faster", () => {
    const rate = new AdmittedRate();
    rate.cut(0);
    rate.cut(2_000);
    const ceiling = rate.ratio(2_000) * 2;
    expect(rate.ratio(62_000)).to.be.closeTo(ceiling, 1e-9);
    expect(rate.ratio(47_000)).to.be.within(0.98 * ceiling, ceiling);
    expect(rate.ratio(77_000)).to.be.within(ceiling, 1.02 * ceiling);
    expect(rate.ratio(200_000)).to.equal(1);
  });

  it("comes back whole within a quarter of an hour, however often it was cut", () => {
    const rate = new AdmittedRate();
    for (let second = 0; second < 600; second += 2) rate.cut(second * 1_000);
    expect(rate.ratio(600_000)).to.be.at.most(0.02);
    expect(rate.ratio(1_500_000)).to.equal(1);
  });

  for (const limitRatio of [0.1, 0.5]) {
    it(`finds a limit of ${limitRatio} of what was known, at the cost of few refusals`, () => {
      const rate = new AdmittedRate();
      let [level, refusalCount, admittedCount, credit] = [0, 0, 0, 0];
      for (let second = 0; second < 600; second++) {
        level = Math.min(level + 10 * limitRatio, 150 * limitRatio);
        credit += 10 * rate.ratio(second * 1_000);
        for (; credit >= 1; credit--) {
          if (level >= 1) {
            level -= 1;
            admittedCount += 1;
          } else {
            refusalCount += 1;
            rate.cut(second * 1_000);
            credit = 0;
          }
        }
      }
      expect(refusalCount).to.be.at.most(20);
      expect(admittedCount).to.be.at.least(0.7 * 600 * 10 * limitRatio);
    });
  }

  it("stays within 0.01 and 1 for any times (property)", () => {
    fc.assert(
      fc.property(fc.array(fc.double()), fc.double(), (cuts, nowMs) => {
        const rate = new AdmittedRate();
        for (const atMs of cuts) rate.cut(atMs);
        expect(rate.ratio(nowMs)).to.be.within(0.01, 1);
      }),
    );
  });
});
