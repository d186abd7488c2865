import { join } from "node:path";
import { expect } from "chai";
import { SluiceFleet } from "../../sim/fleet/sluice-fleet.ts";
import { WHOLE_SLUICE } from "../../sim/fleet/sluice-options.ts";
import type { Contestant } from "../../sim/policies/contestants.ts";
import type { Measures } from "../../sim/report/measure.ts";
import { runOnce } from "../../sim/run-once.ts";
import { REGIMES } from "../../sim/world/regime.ts";
import { readScenario } from "../../sim/world/scenario.ts";
import { LIES, type Lie, LyingPeer } from "./lying-peer.ts";
import { ENDPOINTS } from "./sim-bench.ts";

const HEALTHY = readScenario(join(import.meta.dirname, "../../sim/data/scenarios/s0.json"));
/** The provider lied about; it is as well as the others, and the most used. */
const VICTIM = "c";
/** Long enough for what a lie costs at first to be a small part: 20 s of it are not measured. */
const RUN_MS = 140_000;

/** The share of one run is off by a twentieth by chance. */
const SEEDS = [1, 2, 3];

interface Outcome {
  readonly measures: Measures;
  readonly openingCount: number;
}

/** Runs a healthy world; calls to the victim are counted as those to a bad one. */
function run(honestCount: number, liarCount: number, lie: Lie, seed: number): Outcome {
  const victims = ENDPOINTS.filter(({ provider }) => provider === VICTIM);
  const targets = { deployments: victims.map(({ id }) => id), providers: [VICTIM] };
  let fleet: SluiceFleet | undefined;
  const contestant: Contestant = {
    name: "sluice",
    title: "Sluice",
    kind: "ours",
    start(parts) {
      fleet = new SluiceFleet(parts, WHOLE_SLUICE, (bus) => {
        const liars = Array.from(
          { length: liarCount },
          (_, index) => new LyingPeer(parts.world.clock, bus, honestCount + index, lie, targets),
        );
        return () => {
          for (const liar of liars) liar.close();
        };
      });
      return fleet;
    },
  };
  const measures = runOnce({
    scenario: { ...HEALTHY, bad: VICTIM, faultFromMs: 20_000, faultUntilMs: RUN_MS },
    regime: { ...REGIMES.roomy, replicaCount: honestCount },
    seed,
    contestant,
    endpoints: ENDPOINTS,
    untilMs: RUN_MS,
    trace: undefined,
    incidents: undefined,
  });
  return { measures, openingCount: fleet?.openingCount ?? -1 };
}

for (const [honestCount, liarCount] of [
  [2, 1],
  [3, 2],
] as const) {
  describe(`${liarCount} of ${honestCount + liarCount} replicas that lie`, function () {
    this.timeout(120_000);
    let clean: readonly Outcome[];

    const runAll = (lie: Lie) => SEEDS.map((seed) => run(honestCount, liarCount, lie, seed));
    const sum = (outcomes: readonly Outcome[], read: (measures: Measures) => number | undefined) =>
      outcomes.reduce((total, { measures }) => total + (read(measures) ?? 0), 0);

    before(() => {
      clean = runAll("none");
      expect(sum(clean, ({ badCallCount }) => badCallCount)).to.be.above(600);
    });

    for (const lie of LIES) {
      it(`cost healthy models at most a tenth of their share, and open no breaker: ${lie}`, () => {
        const outcomes = runAll(lie);
        const callCount = ({ badCallCount }: Measures) => badCallCount;
        expect(sum(outcomes, callCount)).to.be.at.least(0.9 * sum(clean, callCount));
        expect(sum(outcomes, ({ utility }) => utility)).to.be.at.least(
          0.98 * sum(clean, ({ utility }) => utility),
        );
        for (const { measures } of outcomes) expect(measures.successRatio).to.be.at.least(0.999);
        expect(outcomes.map(({ openingCount }) => openingCount)).to.deep.equal(
          clean.map(({ openingCount }) => openingCount),
        );
      });
    }
  });
}
