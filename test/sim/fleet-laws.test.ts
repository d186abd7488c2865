import { expect } from "chai";
import fc from "fast-check";
import { FleetBench } from "../support/fleet-bench.ts";

const TWO_PERIODS_MS = 24_000;

describe("a fleet in virtual time", () => {
  let fleet: FleetBench;

  afterEach(() => fleet.close());

  it("has one replica at a time probe what all of them hold open", () => {
    fleet = new FleetBench({ replicaCount: 8, providers: ["p"] });
    fleet.advance(1_000);
    for (const replica of fleet.replicas) {
      for (let attempt = 0; attempt < 3; attempt++) replica.start()("server_error");
    }
    let probeCount = 0;
    for (let tick = 0; tick < 2_400; tick++) {
      fleet.advance(250);
      const probing = fleet.replicas.filter(({ breakers }) => breakers[0]?.available === true);
      for (const replica of probing) {
        replica.start()("server_error");
        probeCount += 1;
      }
    }
    // 600 s, one probe per 10 to 20 s; without turns 8 replicas make 8 in 30 s.
    expect(probeCount).to.be.within(20, 40);
  }).timeout(60_000);

  it("asks again soon everywhere when one replica's probes have succeeded", () => {
    fleet = new FleetBench({ replicaCount: 6, providers: ["p"] });
    fleet.advance(1_000);
    for (const replica of fleet.replicas) {
      for (let attempt = 0; attempt < 3; attempt++) replica.start()("server_error");
    }
    for (let tick = 0; tick < 1_200; tick++) {
      fleet.advance(100);
      for (const replica of fleet.replicas) {
        if (replica.breakers[0]?.available === true) replica.start()("server_error");
      }
    }
    const healedMs = fleet.clock.nowMs();
    while (fleet.replicas.some(({ breakers }) => breakers[0]?.state !== "closed")) {
      fleet.advance(100);
      expect(fleet.clock.nowMs() - healedMs).to.be.below(90_000);
      for (const replica of fleet.replicas) {
        if (replica.breakers[0]?.available === true) replica.start()("success");
      }
    }
    // One probe per 20 s finds it; from then on everybody is back within seconds.
    expect(fleet.clock.nowMs() - healedMs).to.be.below(60_000);
  }).timeout(60_000);

  it("ends in the same state and the same decisions, whatever was lost, doubled, late, reordered or cut", () => {
    const event = fc.record({
      replica: fc.nat(3),
      place: fc.nat(1),
      outcome: fc.constantFrom("success", "server_error", "overloaded", "rate_limit", "auth", "timeout"),
      gapMs: fc.nat(3_000),
    });
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 40 }),
        fc.record({
          lossRatio: fc.double({ min: 0, max: 0.9, noNaN: true }),
          duplicateRatio: fc.double({ min: 0, max: 1, noNaN: true }),
          maxDelayMs: fc.integer({ min: 5, max: 3_000 }),
          partitionFromMs: fc.nat(30_000),
          partitionUntilMs: fc.nat(60_000),
        }),
        fc.nat(1_000),
        (events, network, seed) => {
          const spec = { ...network };
          fleet = new FleetBench({ replicaCount: 6, providers: ["p", "q"], network: spec, seed });
          for (const { replica, place, outcome, gapMs } of events) {
            fleet.advance(gapMs);
            fleet.replica(replica).start(place)(outcome as never, { retryAfterMs: 20_000 });
          }
          // The network heals: nothing is lost any more, and what is under way arrives.
          fleet.advance(Math.max(61_000 - fleet.clock.nowMs(), 0));
          fleet.bus.heal();
          fleet.advance(TWO_PERIODS_MS + 3_000);
          for (const place of [0, 1]) {
            const sights = fleet.replicas.map(({ table, deployments }) => {
              const deployment = deployments[place];
              if (deployment === undefined) throw new Error("no deployment");
              const { endedCount, failedCount, inFlightCount } = table.describeFleet(deployment);
              const { cooldown } = table.reportRegisters(deployment);
              const credentials = table.reportCredentials().map(({ disabled }) => disabled.register);
              return { endedCount, failedCount, inFlightCount, cooldown: cooldown?.register, credentials };
            });
            for (const sight of sights) expect(sight).to.deep.equal(sights[0]);
            // Those that made no attempt know the same and must decide the same.
            const [one, other] = [4, 5].map((index) => fleet.replica(index));
            if (one === undefined || other === undefined) throw new Error("no observers");
            expect(one.view(place).suspect).to.equal(other.view(place).suspect);
            // Where most speak against it they try it in turns, which are never two replicas' at once.
            const takeTurns = [one, other].some((replica) => replica.view(place).takesTurns);
            if (!takeTurns) expect(one.isUsable(place)).to.equal(other.isUsable(place));
            expect(one.view(place).successMean).to.be.closeTo(other.view(place).successMean, 1e-9);
          }
          fleet.close();
        },
      ),
      { numRuns: 25 },
    );
  }).timeout(60_000);
});
