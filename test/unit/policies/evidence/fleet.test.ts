import { expect } from "chai";
import { seededRandom } from "../../../../src/lib/random.ts";
import { ManualClock } from "../breaker/breaker-bench.ts";
import { EvidenceBench } from "./evidence-bench.ts";

/** Replicas on one clock; what one counts it tells all others `delayMs` later. */
class Fleet {
  readonly clock = new ManualClock();
  readonly replicas: readonly EvidenceBench[];
  readonly #delayMs: number;
  readonly #news: { readonly atMs: number; readonly say: () => void }[] = [];

  constructor(replicaCount: number, providers: readonly string[], delayMs = 0) {
    const { clock } = this;
    this.replicas = Array.from({ length: replicaCount }, () => new EvidenceBench(providers, { clock }));
    this.#delayMs = delayMs;
  }

  replica(position: number): EvidenceBench {
    const replica = this.replicas[position];
    if (replica === undefined) throw new Error(`there is no replica ${position}`);
    return replica;
  }

  /** What the replica knows now is on its way to all others. */
  spread(position: number, deployment = 0): void {
    const report = this.replica(position).table.report(this.replica(position).deployment(deployment));
    const { id: deploymentId } = this.replica(position).deployment(deployment);
    const message = {
      ...report,
      replicaId: `r${position}`,
      incarnation: 1,
      sequence: this.clock.ms,
      deploymentId,
    };
    const say = () => {
      for (const [other, { table }] of this.replicas.entries()) if (other !== position) table.merge(message);
    };
    this.#news.push({ atMs: this.clock.ms + this.#delayMs, say });
    this.deliver();
  }

  deliver(): void {
    while (this.#news[0] !== undefined && this.#news[0].atMs <= this.clock.ms) this.#news.shift()?.say();
  }
}

describe("the evidence of a fleet", () => {
  it("makes suspect what three failures anywhere would trip, and opens no breaker where none was seen", () => {
    const fleet = new Fleet(4, ["p"]);
    for (const position of [0, 1, 2]) {
      fleet.replica(position).run(1, "server_error");
      fleet.spread(position);
    }
    expect(fleet.replica(3).view()).to.include({ suspect: true, verifying: false, permitAvailable: true });
    expect(fleet.replica(3).breaker().state).to.equal("closed");
  });

  it("opens the breaker of whoever has just seen one of them fail, when it hears that most have", () => {
    const fleet = new Fleet(4, ["p"]);
    for (const position of [0, 1, 2]) {
      fleet.replica(position).run(1, "server_error");
      fleet.spread(position);
    }
    for (const position of [0, 1, 2]) expect(fleet.replica(position).breaker().state).to.equal("open");
  });

  it("leaves it closed where an answer came since, the failure is 5 s old, or only one other says so", () => {
    const accuse = (fleet: Fleet, positions: readonly number[]) => {
      for (const position of positions) {
        fleet.replica(position).run(3, "server_error");
        fleet.spread(position);
      }
      return fleet.replica(0).breaker().state;
    };
    const answered = new Fleet(4, ["p"]);
    answered.replica(0).run(1, "server_error");
    answered.replica(0).run(1, "success");
    expect(accuse(answered, [1, 2])).to.equal("closed");
    const old = new Fleet(4, ["p"]);
    old.replica(0).run(1, "server_error");
    old.clock.ms += 5_001;
    expect(accuse(old, [1, 2])).to.equal("closed");
    const lonely = new Fleet(4, ["p"]);
    lonely.replica(0).run(1, "server_error");
    expect(accuse(lonely, [1])).to.equal("closed");
    expect(accuse(lonely, [2])).to.equal("open");
  });

  it("leaves it closed for a second after an answer of its own, whatever most others say", () => {
    const fleet = new Fleet(4, ["p"]);
    fleet.replica(0).run(1, "success", 0, 500);
    fleet.replica(0).run(1, "server_error", 0, 500);
    for (const position of [1, 2, 3]) {
      fleet.replica(position).run(1, "server_error", 0, 0);
      fleet.spread(position);
    }
    expect(fleet.replica(0).view()).to.include({ suspect: true, breaker: "closed" });
    fleet.clock.ms += 1;
    fleet.spread(1);
    expect(fleet.replica(0).breaker().state).to.equal("open");
  });

  it("takes one failure among many answers told with it for chance, not for a word against", () => {
    for (const answerCount of [4, 20]) {
      const fleet = new Fleet(4, ["p"]);
      for (const position of [1, 2]) {
        fleet.replica(position).run(answerCount, "success", 0, 0);
        fleet.replica(position).run(1, "server_error", 0, 0);
        fleet.spread(position);
      }
      fleet.replica(3).run(3, "server_error", 0, 0);
      fleet.spread(3);
      fleet.replica(0).run(1, "server_error", 0, 0);
      const isWord = answerCount === 4;
      expect(fleet.replica(0).breaker().state, `${answerCount}`).to.equal(isWord ? "open" : "closed");
    }
  });

  it("forgets with a replica what it told, for good", () => {
    const fleet = new Fleet(2, ["p"]);
    fleet.replica(0).run(3, "server_error");
    fleet.spread(0);
    expect(fleet.replica(1).view().suspect).to.equal(true);
    fleet.replica(1).table.forgetReplica("r0");
    expect(fleet.replica(1).view().suspect).to.equal(false);
  });

  it("knows of failures among many answers of before: the order counts, not the second they came in", () => {
    const fleet = new Fleet(4, ["p"]);
    for (const position of [0, 1, 2]) {
      fleet.replica(position).run(20, "success", 0, 0);
      fleet.spread(position);
    }
    for (const position of [0, 1, 2]) {
      expect(fleet.replica(3).view().suspect).to.equal(false);
      fleet.replica(position).run(1, "server_error", 0, 0);
      fleet.spread(position);
    }
    fleet.clock.ms += 101;
    expect(fleet.replica(3).view().suspect).to.equal(true);
  });

  it("does not take many failures told at once, with many more answers, for an outage", () => {
    const fleet = new Fleet(2, ["p"]);
    for (let turn = 0; turn < 30; turn++) {
      fleet.replica(0).run(49, "success", 0, 0);
      fleet.replica(0).run(1, "server_error", 0, 0);
    }
    fleet.spread(0);
    expect(fleet.replica(1).view().suspect).to.equal(false);
  });

  it("does not take failures of a while ago, told after a partition, for some that are now", () => {
    const fleet = new Fleet(3, ["p"]);
    for (const position of [0, 1]) {
      fleet.replica(position).run(20, "success", 0, 0);
      fleet.spread(position);
    }
    for (const position of [0, 1]) fleet.replica(position).run(2, "server_error", 0, 0);
    fleet.clock.ms += 10_000;
    for (const position of [0, 1]) fleet.spread(position);
    expect(fleet.replica(2).view().suspect).to.equal(false);
  });

  it("lets one attempt verify at a time; a failure opens the breaker where several replicas have seen the same", () => {
    const fleet = new Fleet(4, ["p"]);
    for (const position of [0, 2, 3]) {
      fleet.replica(position).run(2, "server_error");
      fleet.spread(position);
    }
    const replica = fleet.replica(1);
    const end = replica.start();
    expect(replica.view()).to.include({ suspect: true, verifying: true, permitAvailable: false });
    end("server_error");
    expect(replica.view()).to.include({ suspect: false, breaker: "open" });
  });

  it("takes a second failed verification where one replica says so: one attempt in hundreds fails of its own", () => {
    const fleet = new Fleet(2, ["p"]);
    fleet.replica(0).run(4, "server_error");
    fleet.spread(0);
    const replica = fleet.replica(1);
    replica.start()("server_error");
    expect(replica.view()).to.include({ suspect: true, breaker: "closed", permitAvailable: true });
    replica.start()("server_error");
    expect(replica.view().breaker).to.equal("open");
  });

  it("opens no breaker by one failure where a verification has succeeded in the last three minutes", () => {
    const fleet = new Fleet(4, ["p"]);
    const accuse = () => {
      for (const position of [0, 1, 3]) {
        fleet.replica(position).run(4, "server_error");
        fleet.spread(position);
      }
    };
    const replica = fleet.replica(2);
    accuse();
    replica.start()("success");
    fleet.clock.ms += 61_000;
    accuse();
    expect(replica.view().suspect).to.equal(true);
    replica.start()("server_error");
    expect(replica.breaker().state).to.equal("closed");
    fleet.clock.ms += 181_000;
    accuse();
    replica.start()("server_error");
    expect(replica.breaker().state).to.equal("open");
  });

  it("is refuted by a verification that succeeds: the sender is not listened to for 60 s", () => {
    const fleet = new Fleet(3, ["p"]);
    const [liar, replica] = [fleet.replica(0), fleet.replica(2)];
    liar.run(4, "server_error");
    fleet.spread(0);
    expect(replica.view().suspect).to.equal(true);
    replica.start()("success");
    expect(replica.view().suspect).to.equal(false);
    for (let second = 0; second < 59; second++) {
      fleet.clock.ms += 1_000;
      liar.start()("server_error");
      fleet.spread(0);
      expect(replica.view().suspect).to.equal(false);
    }
    fleet.clock.ms += 1_000;
    fleet.spread(0);
    expect(replica.view().suspect).to.equal(true);
    expect(replica.breaker().state).to.equal("closed");
  });

  it("needs more successes the less often it failed elsewhere: one proves little against 40 % errors", () => {
    const fleet = new Fleet(2, ["p"]);
    for (let turn = 0; turn < 8; turn++) {
      fleet.replica(0).run(3, "success");
      fleet.replica(0).run(2, "server_error");
    }
    fleet.spread(0);
    const replica = fleet.replica(1);
    let verificationCount = 0;
    while (replica.view().suspect) {
      verificationCount += 1;
      replica.start()("success");
    }
    expect(verificationCount).to.be.within(4, 6);
  });

  it("heeds what refuses other replicas for the rate as if it had been refused itself", () => {
    const limits = { limitsOf: () => ({ requestsPerMinute: 600 }) };
    const [refused, other] = [new EvidenceBench(["p"], limits), new EvidenceBench(["p"], limits)];
    other.clock.ms = refused.clock.ms;
    refused.start()("rate_limit");
    expect(other.view().headroomRatio).to.equal(1);
    refused.tell(other, "refused");
    expect(other.view().headroomRatio).to.equal(0);
    expect(other.view().cooldownUntilMs).to.equal(0);
    expect(other.health()).to.deep.equal(new EvidenceBench(["p"], limits).health());
  });

  it("takes no limit for lower than it is for a refusal of what it knew to be beyond the limit, here and elsewhere", () => {
    // 16 requests and then one every 938 ms.
    const limits = { limitsOf: () => ({ requestsPerMinute: 64 }) };
    for (const knownCount of [15, 16]) {
      const [refused, other] = [new EvidenceBench(["p"], limits), new EvidenceBench(["p"], limits)];
      other.clock.ms = refused.clock.ms;
      refused.run(knownCount, "success", 0, 0);
      refused.start()("rate_limit");
      refused.tell(other, "refused");
      for (const replica of [refused, other]) {
        replica.clock.ms += 16_000;
        const isWhole = replica.view().headroomRatio === 1;
        expect(isWhole, `after ${knownCount}`).to.equal(knownCount === 16);
      }
    }
  });

  it("takes back a cut sooner when what was beyond the limit is answered", () => {
    const limits = { limitsOf: () => ({ requestsPerMinute: 64 }) };
    const [answered, other] = [new EvidenceBench(["p"], limits), new EvidenceBench(["p"], limits)];
    for (const replica of [answered, other]) replica.start()("rate_limit");
    answered.run(10, "success", 0, 0);
    const roomIn = (replica: EvidenceBench) => {
      replica.clock.ms += 30_000;
      let count = 0;
      for (; replica.view().headroomRatio > 0; count++) replica.start();
      return count;
    };
    expect([roomIn(answered), roomIn(other)]).to.deep.equal([16, 15]);
  });

  it("does not come up again, once refuted, by being repeated", () => {
    const fleet = new Fleet(2, ["p"]);
    fleet.replica(0).run(4, "server_error");
    fleet.spread(0);
    fleet.replica(1).start()("success");
    for (let second = 0; second < 70; second++) {
      fleet.clock.ms += 1_000;
      fleet.spread(0);
    }
    expect(fleet.replica(1).view().suspect).to.equal(false);
  });

  it("still believes others after one of them was refuted", () => {
    const fleet = new Fleet(3, ["p"]);
    fleet.replica(0).run(3, "server_error");
    fleet.spread(0);
    fleet.replica(2).start()("success");
    fleet.replica(1).run(4, "server_error");
    fleet.spread(1);
    expect(fleet.replica(2).view().suspect).to.equal(true);
  });

  it("gives a verification that says nothing back to the next attempt, and one that hangs after a minute", () => {
    const fleet = new Fleet(2, ["p"]);
    const replica = fleet.replica(1);
    fleet.replica(0).run(3, "server_error");
    fleet.spread(0);
    replica.start()("cancelled");
    expect(replica.view().permitAvailable).to.equal(true);
    replica.start();
    expect(replica.view().permitAvailable).to.equal(false);
    fleet.clock.ms += 60_000;
    fleet.spread(0);
    expect(replica.view()).to.include({ suspect: true, permitAvailable: true });
  });

  it("fades when its sender falls silent", () => {
    const fleet = new Fleet(2, ["p"]);
    fleet.replica(0).run(3, "server_error");
    fleet.spread(0);
    fleet.clock.ms += 5_000;
    expect(fleet.replica(1).view().suspect).to.equal(true);
    fleet.clock.ms += 5_000;
    expect(fleet.replica(1).view().suspect).to.equal(false);
  });

  it("is advice on success: of one replica at most 6.7 attempts, which own experience outweighs", () => {
    const fleet = new Fleet(2, ["p"]);
    const [teller, replica] = [fleet.replica(0), fleet.replica(1)];
    for (let attempt = 0; attempt < 400; attempt++) {
      teller.start()(attempt % 6 === 5 ? "server_error" : "success");
      fleet.clock.ms += 20;
    }
    fleet.spread(0);
    expect(replica.view()).to.include({ suspect: false });
    // 19.9 of 20 of the prior, and five sixths of 20 / 3.
    expect(replica.view().successMean).to.be.closeTo((19.9 + 5.56) / 26.67, 0.005);
    replica.run(200, "success");
    expect(replica.view().successMean).to.be.above(0.98);
  });

  it("counts the others' attempts in flight, and their spending against the shared limit", () => {
    const limitsOf = () => ({ requestsPerMinute: 40 });
    const clock = new ManualClock();
    const [one, two] = [
      new EvidenceBench(["p"], { clock, limitsOf }),
      new EvidenceBench(["p"], { clock, limitsOf }),
    ];
    for (let attempt = 0; attempt < 5; attempt++) one.start();
    for (let time = 0; time < 3; time++) one.tell(two, "one");
    expect(two.view().inFlightCount).to.equal(5);
    expect(two.view().headroomRatio).to.be.closeTo(0.5, 1e-9);
  });

  it("is not kept from a limit for minutes when it joins and hears of two minutes of spending at once", () => {
    const limits = { limitsOf: () => ({ requestsPerMinute: 600 }) };
    const [busy, late] = [new EvidenceBench(["p"], limits), new EvidenceBench(["p"], limits)];
    busy.run(1_100, "success", 0, 100);
    late.clock.ms = busy.clock.ms;
    busy.tell(late, "busy");
    expect(late.view().headroomRatio).to.equal(0);
    late.clock.ms += 7_500;
    expect(late.view().headroomRatio).to.be.closeTo(0.5, 0.01);
  });

  it("counts what the others' attempts used, not what was reserved for them", () => {
    const limits = { limitsOf: () => ({ tokensPerMinute: 1_000_000 }) };
    const [busy, other] = [new EvidenceBench(["p"], limits), new EvidenceBench(["p"], limits)];
    // 1,100 tokens are reserved for each, and 800 used.
    const usage = { inputTokens: 700, outputTokens: 100 };
    for (let attempt = 0; attempt < 600; attempt++) {
      busy.start()("success", { usage });
      busy.clock.ms += 50;
      other.clock.ms = busy.clock.ms;
      busy.tell(other, "busy");
    }
    expect(other.view().headroomRatio).to.be.closeTo(busy.view().headroomRatio, 0.02);
    expect(other.view().headroomRatio).to.be.within(0.8, 1);
    const [liar, honest] = [new EvidenceBench(["p"], limits), new EvidenceBench(["p"], limits)];
    for (let attempt = 0; attempt < 600; attempt++) {
      liar.start()("success", { usage: { inputTokens: 1, outputTokens: 1 } });
      liar.clock.ms += 25;
      honest.clock.ms = liar.clock.ms;
      liar.tell(honest, "liar");
    }
    // At least half of what was reserved counts: 22,000 a second of 16,667 that come back.
    expect(honest.view().headroomRatio).to.be.below(0.75);
  });

  it("keeps to its share of a limit while it is cut off", () => {
    const limitsOf = () => ({ requestsPerMinute: 160 });
    const clock = new ManualClock();
    const make = () => new EvidenceBench(["p"], { clock, limitsOf });
    const [replica, ...others] = [make(), make(), make(), make()];
    for (const [position, other] of others.entries()) if (replica) other.tell(replica, `r${position}`);
    replica?.table.setConnected(true);
    expect(replica?.table.listLiveReplicas()).to.have.length(3);
    replica?.table.setConnected(false);
    replica?.start();
    expect(replica?.view().headroomRatio).to.be.closeTo(11 / 12, 1e-9);
    replica?.table.setConnected(true);
    expect(replica?.view().headroomRatio).to.be.closeTo(39 / 40, 1e-9);
  });

  it("mutes a replica that fails everywhere while the others do not", () => {
    const fleet = new Fleet(3, ["p", "q", "s"]);
    for (const position of [0, 1, 2]) {
      fleet.replica(0).run(30, "server_error", position, 0);
      for (const honest of [1, 2]) fleet.replica(honest).run(30, "success", position, 0);
    }
    for (let round = 0; round < 2; round++) {
      fleet.clock.ms += 1_100;
      for (const replica of [1, 0]) for (const position of [0, 1, 2]) fleet.spread(replica, position);
    }
    const replica = fleet.replica(2);
    fleet.clock.ms += 101;
    expect([...replica.table.mutedReplicas]).to.deep.equal(["r0"]);
    expect(replica.view(0)).to.include({ suspect: false });
  });

  it("drops what is invalid or of an unknown deployment", () => {
    const replica = new EvidenceBench(["p"]);
    const message = {
      ...{
        replicaId: "r",
        incarnation: 1,
        sequence: 1,
        deploymentId: replica.deployment().id,
        sentMs: 1_000,
      },
      ...{ inFlightCount: 0, series: { fine: [], coarse: [] } },
    };
    expect(replica.table.merge({ ...message, deploymentId: "nobody/nothing" })).to.equal(undefined);
    expect(replica.table.merge({ ...message, inFlightCount: -1 })).to.equal("invalid");
    expect(replica.table.merge({ ...message, sentMs: Number.NaN })).to.equal("invalid");
    expect(replica.table.merge(message)).to.equal("merged");
    expect(replica.table.listLiveReplicas()).to.deep.equal(["r"]);
  });

  it("bounds the calls to a dead deployment: after the third failure each replica sends at most one more, but for what was on its way", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = seededRandom(seed);
      const [replicaCount, ratePerSecond, delayMs, serviceMs] = [4, 20, 200, 300];
      const fleet = new Fleet(replicaCount, ["p"], delayMs);
      const flights: { readonly atMs: number; readonly replica: number; readonly end: () => void }[] = [];
      let [failures, startedAfter] = [0, 0];
      for (let step = 0; step < 200; step++) {
        fleet.clock.ms += 1_000 / ratePerSecond;
        fleet.deliver();
        while (flights[0] !== undefined && flights[0].atMs <= fleet.clock.ms) {
          const flight = flights.shift();
          flight?.end();
          failures += 1;
          if (flight !== undefined) fleet.spread(flight.replica);
        }
        const position = Math.floor(random.next() * replicaCount);
        const replica = fleet.replica(position);
        const { breaker, permitAvailable } = replica.view();
        if (breaker !== "closed" || !permitAvailable) continue;
        const end = replica.start();
        if (failures >= 3) startedAfter += 1;
        flights.push({ atMs: fleet.clock.ms + serviceMs, replica: position, end: () => end("server_error") });
      }
      expect(startedAfter).to.be.at.most(replicaCount + (ratePerSecond * delayMs) / 1_000 + 1);
    }
  });
});
