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
  /** (U of O1 − U) / (U of O1 − U of random): 0 as good as O1, 1 as bad as random. Undefined without both of them. */
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
    regret:
      oracle &&
      random &&
      bootstrap(runs.length, (at) => {
        const best = meanAt(utilitiesOf(oracle), at);
        return (best - meanAt(utilities, at)) / Math.max(best - meanAt(utilitiesOf(random), at), 1e-9);
      }),
    behind: ours && bootstrap(runs.length, (at) => meanAt(utilitiesOf(ours), at) - meanAt(utilities, at)),
  };
}

function utilitiesOf(runs: readonly Measures[]): readonly number[] {
  return runs.map(({ utility }) => utility);
}

function summarizeFigures(runs: readonly Measures[]): Row["figures"] {
  const names = Object.keys(runs[0] ?? {}) as (keyof Measures)[];
  return Object.fromEntries(
    names.flatMap((name) => {
      const values = runs.map((run) => run[name]);
      const known = values.filter((value) => value !== undefined);
      // A figure that some run lacks has no honest mean.
      return known.length < values.length ? [] : [[name, bootstrap(known.length, (at) => meanAt(known, at))]];
    }),
  );
}
