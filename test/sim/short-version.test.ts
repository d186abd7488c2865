import { expect } from "chai";
import { buildReplica } from "../../sim/fleet/build-replica.ts";
import { configureSluice, WHOLE_SLUICE } from "../../sim/fleet/sluice-options.ts";
import type { Measures } from "../../sim/report/measure.ts";
import { REGIMES } from "../../sim/world/regime.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { buildRouting } from "../../src/main/build-routing.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { RecordingConsumer } from "../support/router-bench.ts";
import { sampleRequest } from "../support/sample-catalog.ts";
import { ScriptedProvider } from "../support/scripted-provider.ts";
import { ENDPOINTS, findContestant, runShort } from "./sim-bench.ts";

const SHORT = { seed: 1, untilMs: 240_000, faultFromMs: 60_000 };
const known = new Map<string, Measures>();

/** Runs are repeatable, so each is made once. */
function run(id: string, name: string): Measures {
  const key = `${id} ${name}`;
  const measures = known.get(key) ?? runShort(id, findContestant(name), SHORT);
  known.set(key, measures);
  return measures;
}

describe("the short version of the benchmark", function () {
  this.timeout(60_000);

  it("gives the same figures to the last bit for the same seed", () => {
    expect(runShort("S1", findContestant("sluice"), SHORT)).to.deep.equal(run("S1", "sluice"));
  });

  it("gives other figures for another seed", () => {
    const other = runShort("S0", findContestant("random"), { ...SHORT, seed: 2 });
    expect(other).to.not.deep.equal(run("S0", "random"));
  });

  it("loses nothing to speak of in an outage, where random choice does", () => {
    const ours = run("S1", "sluice");
    expect(ours.faultSuccessRatio).to.be.at.least(0.9985);
    expect(ours.fleetSuspectMs).to.be.at.most(2_500);
    expect(run("S1", "random").faultSuccessRatio).to.be.below(0.99);
  });

  it("is within a fifth of the way from the oracle to random choice when all is well", () => {
    const [ours, random, oracle] = ["sluice", "random", "oracle"].map((name) => run("S0", name).utility);
    expect(((oracle ?? 0) - (ours ?? 0)) / ((oracle ?? 0) - (random ?? 0))).to.be.below(0.2);
  });

  it("wastes less of a shared quota than a chain with a breaker", () => {
    expect(run("S5", "sluice").limitedPer100).to.be.below(run("S5", "chain").limitedPer100 / 3);
  });

  it("needs gossip to know of an outage fleet-wide", () => {
    const alone = run("S1", "no-gossip").fleetSuspectMs ?? Number.POSITIVE_INFINITY;
    expect(alone).to.be.greaterThan(run("S1", "sluice").fleetSuspectMs ?? 0);
  });

  it("needs shared quota use to keep from refusals", () => {
    expect(run("S0", "no-quota-sharing").limitedPer100).to.be.greaterThan(run("S0", "sluice").limitedPer100);
  });
});

describe("the simulated replica", () => {
  it("chooses as the shipped composition does, request by request", async () => {
    const config = configureSluice(ENDPOINTS, REGIMES.tight, WHOLE_SLUICE, []);
    const names = config.providers.map(({ name }) => name);
    const chosen = await Promise.all(
      [
        (ports: Parameters<typeof buildRouting>[1]) => buildRouting(config, ports),
        (ports: Parameters<typeof buildRouting>[1]) => buildReplica(config, ports, () => "attempt"),
      ].map(async (build) => {
        const clock = new FakeClock();
        const providers = new Map(names.map((name) => [name, new ScriptedProvider(name)]));
        const routing = build({ clock, random: seededRandom(7), providers });
        const ids: string[] = [];
        for (let index = 0; index < 60; index++) {
          const nowMs = clock.nowMs();
          const context = {
            requestId: `${index}`,
            traceparent: undefined,
            arrivedMs: nowMs,
            deadlineMs: nowMs + 9_000,
          };
          const consumer = new RecordingConsumer();
          routing.router.route(sampleRequest(), context, consumer);
          const asked = consumer.log[0]?.split(" ")[1] ?? "";
          ids.push(asked);
          await clock.advance(40);
          const attempt = providers.get(asked.split("/")[0] ?? "")?.last;
          attempt?.text("a");
          if (index % 9 === 4) attempt?.fail("server_error");
          else attempt?.complete();
        }
        routing.close();
        return ids;
      }),
    );
    expect(chosen[0]).to.have.lengthOf(60);
    expect(chosen[1]).to.deep.equal(chosen[0]);
  });
});
