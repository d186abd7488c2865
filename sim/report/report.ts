import type { RunResult } from "../cli/run-task.ts";
import { replayCommand } from "../cli/run-task.ts";
import type { Scenario } from "../world/scenario.ts";
import { UTILITY_VERSION } from "../world/utility.ts";
import { type GoalResult, judgeGoals, listBeatenOracle, listLosses } from "./goals.ts";
import { summarize, type Table } from "./summarize.ts";

/** All that a report says. It holds no time of the machine: the same seeds give the same bytes. */
export interface Report {
  readonly utilityVersion: string;
  /** The command that makes it again. */
  readonly command: string;
  readonly seeds: readonly number[];
  readonly requestCount: number;
  readonly titles: Readonly<Record<string, string>>;
  readonly tables: readonly Table[];
  readonly goals: readonly GoalResult[];
  readonly losses: readonly string[];
  /** Where O1 is beaten. */
  readonly oracleLosses: readonly string[];
  /** Broken rules, each with the command that repeats it. */
  readonly violations: readonly { readonly rule: string; readonly replay: string }[];
}

/** Builds the report of some runs. */
export function buildReport(
  results: readonly RunResult[],
  scenarios: readonly Scenario[],
  command: string,
): Report {
  const tables = summarize(results);
  return {
    utilityVersion: UTILITY_VERSION,
    command,
    seeds: [...new Set(results.map(({ task }) => task.seed))],
    requestCount: results.reduce((sum, { measures }) => sum + (measures?.requestCount ?? 0), 0),
    titles: Object.fromEntries(scenarios.map(({ id, title }) => [id, title])),
    tables,
    goals: judgeGoals(tables),
    losses: listLosses(tables),
    oracleLosses: listBeatenOracle(tables),
    violations: results.flatMap(({ violation, task }) =>
      violation === undefined ? [] : [{ rule: violation, replay: replayCommand(task) }],
    ),
  };
}
