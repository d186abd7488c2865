import { readFileSync } from "node:fs";
import { join } from "node:path";
import { InvariantViolation } from "../check/invariant-violation.ts";
import { findContestant } from "../policies/contestants.ts";
import type { Measures } from "../report/measure.ts";
import { runOnce } from "../run-once.ts";
import { readEndpoints } from "../world/endpoint-spec.ts";
import { parseIncidents } from "../world/incidents.ts";
import { REGIMES, type Regime } from "../world/regime.ts";
import { readScenario } from "../world/scenario.ts";
import { parseTrace } from "../world/workload.ts";

/** One run to make. Plain values: it goes to another thread. */
export interface RunTask {
  readonly scenarioFile: string;
  readonly scenario: string;
  readonly regime: Regime["name"];
  /** In place of the regime's. */
  readonly replicaCount: number | undefined;
  readonly seed: number;
  readonly contestant: string;
  readonly untilMs: number;
  readonly trace: string | undefined;
  readonly outages: string | undefined;
}

/** What came of it: measures, or the rule that was broken. */
export interface RunResult {
  readonly task: RunTask;
  readonly measures: Measures | undefined;
  readonly violation: string | undefined;
}

export const ENDPOINTS_FILE = join(import.meta.dirname, "../data/endpoints.json");

/** Makes a run. A broken rule is a result; anything else thrown is a bug or bad data. */
export function runTask(task: RunTask): RunResult {
  const contestant = findContestant(task.contestant);
  if (contestant === undefined) throw new Error(`there is no policy ${task.contestant}`);
  const endpoints = readEndpoints(ENDPOINTS_FILE);
  const providers = [...new Set(endpoints.map(({ provider }) => provider))];
  const scenario = readScenario(task.scenarioFile);
  const { trace, outages, seed } = task;
  try {
    const measures = runOnce({
      scenario,
      regime: { ...REGIMES[task.regime], ...(task.replicaCount && { replicaCount: task.replicaCount }) },
      seed,
      contestant,
      endpoints,
      untilMs: Math.min(scenario.durationMs, task.untilMs),
      trace: trace === undefined ? undefined : parseTrace(readFileSync(trace, "utf8"), trace),
      incidents:
        outages === undefined ? undefined : parseIncidents(readFileSync(outages, "utf8"), outages, providers),
    });
    return { task, measures, violation: undefined };
  } catch (error) {
    if (!(error instanceof InvariantViolation)) throw error;
    return { task, measures: undefined, violation: error.message };
  }
}

/** The command that makes one run again. */
export function replayCommand({
  scenario,
  regime,
  seed,
  contestant,
  untilMs,
  trace,
  outages,
  replicaCount,
}: RunTask): string {
  const minutes = Number.isFinite(untilMs) ? ` --minutes ${untilMs / 60_000}` : "";
  const replicas = replicaCount === undefined ? "" : ` --replicas ${replicaCount}`;
  const files = `${trace === undefined ? "" : ` --trace ${trace}`}${outages === undefined ? "" : ` --outages ${outages}`}`;
  return `node sim/run.ts --scenario ${scenario} --regime ${regime} --seeds ${seed} --policy ${contestant}${minutes}${replicas}${files}`;
}
