/** Which figures suit each baseline best: the highest mean utility over all scenarios and seeds of a sweep. */

import type { RunResult } from "../cli/run-task.ts";
import { listVariants, nameParameters, type Parameters, TUNABLE_BASELINES } from "../policies/tunable.ts";

/** What a sweep found; written to a file that later runs read the best figures from. */
export interface Sweep {
  /** The command that makes it again. */
  readonly command: string;
  readonly scenarios: readonly string[];
  readonly seeds: readonly number[];
  readonly baselines: Readonly<Record<string, SweptBaseline>>;
}

/** One baseline; utilities are means over scenarios and seeds. */
export interface SweptBaseline {
  readonly best: Parameters;
  readonly bestUtility: number;
  readonly published: Parameters;
  readonly publishedUtility: number;
  readonly utilities: Readonly<Record<string, number>>;
}

/** Judges a sweep's runs. A baseline with a broken run among them is left out. */
export function judgeSweep(results: readonly RunResult[], command: string): Sweep {
  const byName = Map.groupBy(results, ({ task }) => task.contestant);
  const baselines = TUNABLE_BASELINES.flatMap((each) => {
    const tried = listVariants(each).map((parameters) => ({
      parameters,
      utility: meanUtility(byName.get(`${each.name}@${nameParameters(parameters)}`) ?? []),
    }));
    const [published] = tried;
    if (published === undefined || tried.some(({ utility }) => Number.isNaN(utility))) return [];
    const best = tried.reduce((left, right) => (right.utility > left.utility ? right : left));
    const swept: SweptBaseline = {
      best: best.parameters,
      bestUtility: round(best.utility),
      published: published.parameters,
      publishedUtility: round(published.utility),
      utilities: Object.fromEntries(
        tried.map(({ parameters, utility }) => [nameParameters(parameters), round(utility)]),
      ),
    };
    return [[each.name, swept] as const];
  });
  return {
    command,
    scenarios: [...new Set(results.map(({ task }) => `${task.scenario} ${task.regime}`))],
    seeds: [...new Set(results.map(({ task }) => task.seed))],
    baselines: Object.fromEntries(baselines),
  };
}

/** For the terminal: one line per baseline. */
export function renderSweep({ baselines }: Sweep): string {
  const lines = Object.entries(baselines).map(
    ([name, { best, bestUtility, published, publishedUtility }]) =>
      `${name}: ${nameParameters(best)} ${bestUtility} (published ${nameParameters(published)} ${publishedUtility})`,
  );
  return `${lines.join("\n")}\n`;
}

function meanUtility(runs: readonly RunResult[]): number {
  return runs.reduce((sum, { measures }) => sum + (measures?.utility ?? Number.NaN), 0) / runs.length;
}

function round(utility: number): number {
  return Math.round(utility * 1e5) / 1e5;
}
