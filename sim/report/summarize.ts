import type { RunResult } from "../cli/run-task.ts";
import { CONTESTANTS, type Contestant } from "../policies/contestants.ts";
import { bootstrap, type Interval, meanAt } from "./bootstrap.ts";
import type { Measures } from "./measure.ts";

/** One contestant in one scenario and regime, over all seeds. */
export interface Row {
  readonly contestant: Contestant["name"];
  readonly title: string;
  readonly kind: Contestant["kind"];
  /** Means over the seeds, with intervals; without those that mean nothing. */
  readonly figures: Readonly<Partial<Record<keyof Measures, Interval>>>;
  /** In how many runs that which a figure waits for never came. */
  readonly neverCounts: Readonly<Partial<Record<keyof Measures, number>>>;
  /** (U of O1 − U) / (U of O1 − U of random): 0 as good as O1, 1 as bad as random. Undefined without both of them, and where random choice is no worse than O1. */
  readonly regret: Interval | undefined;
  /** Utility of the first row minus this one's, seed by seed; above 0 the first is better. */
  readonly behind: Interval | undefined;
}

/** One scenario in one regime. */
export interface Table {
  readonly scenario: string;
  readonly regime: string;
  readonly seeds: readonly number[];
  readonly rows: readonly Row[];
}

/** Groups the results of whole runs. A contestant with a broken run is left out and named elsewhere. */
export function summarize(results: readonly RunResult[]): readonly Table[] {
  const groups = Map.groupBy(results, ({ task }) => `${task.scenario} ${task.regime}`);
  return [...groups.values()].map((group): Table => {
    const seeds = [...new Set(group.map(({ task }) => task.seed))];
    const byName = new Map<string, readonly Measures[]>();
    for (const { name } of CONTESTANTS) {
      const runs = group
        .filter(({ task }) => task.contestant === name)
        .flatMap(({ measures }) => measures ?? []);
      if (runs.length === seeds.length) byName.set(name, runs);
    }
    const { scenario = "", regime = "" } = group[0]?.task ?? {};
    const rows = CONTESTANTS.flatMap((contestant) => {
      const runs = byName.get(contestant.name);
      return runs === undefined ? [] : [makeRow(contestant, runs, byName)];
    });
    return { scenario, regime, seeds, rows };
  });
}

function makeRow(
  { name, title, kind }: Contestant,
  runs: readonly Measures[],
  byName: ReadonlyMap<string, readonly Measures[]>,
): Row {
  const utilities = utilitiesOf(runs);
  const oracle = byName.get("oracle");
  const random = byName.get("random");
  const ours = byName.get("sluice");
  return {
    contestant: name,
    title,
    kind,
    figures: summarizeFigures(runs),
    neverCounts: countNever(runs),
    regret:
      oracle &&
      random &&
      isWorse(random, oracle) &&
      bootstrap(runs.length, (at) => {
        const best = meanAt(utilitiesOf(oracle), at);
        return (best - meanAt(utilities, at)) / Math.max(best - meanAt(utilitiesOf(random), at), 1e-9);
      }),
    behind: ours && bootstrap(runs.length, (at) => meanAt(utilitiesOf(ours), at) - meanAt(utilities, at)),
  };
}

/** Whether one has the lesser mean utility; undefined when not, as what has no scale is left out. */
function isWorse(one: readonly Measures[], other: readonly Measures[]): true | undefined {
  const sum = (runs: readonly Measures[]) => utilitiesOf(runs).reduce((total, each) => total + each, 0);
  return sum(one) < sum(other) || undefined;
}

function utilitiesOf(runs: readonly Measures[]): readonly number[] {
  return runs.map(({ utility }) => utility);
}

function namesOf(runs: readonly Measures[]): readonly (keyof Measures)[] {
  return [...new Set(runs.flatMap((run) => Object.keys(run)))] as (keyof Measures)[];
}

function countNever(runs: readonly Measures[]): Row["neverCounts"] {
  const counts = namesOf(runs).map((name) => [name, runs.filter((run) => run[name] === "never").length]);
  return Object.fromEntries(counts.filter(([, count]) => count !== 0));
}

function summarizeFigures(runs: readonly Measures[]): Row["figures"] {
  return Object.fromEntries(
    namesOf(runs).flatMap((name) => {
      const values = runs.map((run) => run[name]);
      const known = values.filter((value) => typeof value === "number");
      // A figure that some run lacks has no honest mean.
      return known.length < values.length ? [] : [[name, bootstrap(known.length, (at) => meanAt(known, at))]];
    }),
  );
}
