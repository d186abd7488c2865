import { join } from "node:path";
import { InvariantViolation } from "../check/invariant-violation.ts";
import { findContestant } from "../policies/contestants.ts";
import type { Measures } from "../report/measure.ts";
import { runOnce } from "../run-once.ts";
import { type EndpointSpec, readEndpoints } from "../world/endpoint-spec.ts";
import { parseIncidents } from "../world/incidents.ts";
import { DataError, readNamedFile } from "../world/read-json.ts";
import { REGIMES, type Regime } from "../world/regime.ts";
import type { Effect } from "../world/scenario.ts";
import { readScenario } from "../world/scenario.ts";
import { parseTrace, type Trace } from "../world/workload.ts";

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
  /** So many of the trace at once. */
  readonly traceCopyCount: number;
  readonly outages: string | undefined;
}

/** What came of it: measures, or the rule that was broken. */
export interface RunResult {
  readonly task: RunTask;
  readonly measures: Measures | undefined;
  readonly violation: string | undefined;
}

export const ENDPOINTS_FILE = join(import.meta.dirname, "../data/endpoints.json");

/** Reads a trace. Throws `DataError`. */
export function readTrace(file: string, copyCount: number): Trace {
  return { rows: parseTrace(readNamedFile(file, "--trace"), file), copyCount };
}

/** Reads outages of the endpoints' providers. Throws `DataError`. */
export function readOutages(file: string, endpoints: readonly EndpointSpec[]): readonly Effect[] {
  const providers = [...new Set(endpoints.map(({ provider }) => provider))];
  return parseIncidents(readNamedFile(file, "--outages"), file, providers);
}

/** Makes a run. A broken rule is a result, and so is an exception: a bug that must be replayable. Bad data throws `DataError`. */
export function runTask(task: RunTask): RunResult {
  const contestant = findContestant(task.contestant);
  if (contestant === undefined) throw new Error(`there is no policy ${task.contestant}`);
  const endpoints = readEndpoints(ENDPOINTS_FILE);
  const scenario = readScenario(task.scenarioFile);
  const { trace, traceCopyCount, outages, seed } = task;
  try {
    const measures = runOnce({
      scenario,
      regime: { ...REGIMES[task.regime], ...(task.replicaCount && { replicaCount: task.replicaCount }) },
      seed,
      contestant,
      endpoints,
      untilMs: Math.min(scenario.durationMs, task.untilMs),
      trace: trace === undefined ? undefined : readTrace(trace, traceCopyCount),
      incidents: outages === undefined ? undefined : readOutages(outages, endpoints),
    });
    return { task, measures, violation: undefined };
  } catch (error) {
    if (error instanceof DataError) throw error;
    return { task, measures: undefined, violation: describe(error) };
  }
}

function describe(error: unknown): string {
  if (error instanceof InvariantViolation) return error.message;
  return `exception: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

/** The command that makes one run again. */
export function replayCommand({
  scenario,
  regime,
  seed,
  contestant,
  untilMs,
  trace,
  traceCopyCount,
  outages,
  replicaCount,
}: RunTask): string {
  const minutes = Number.isFinite(untilMs) ? ` --minutes ${untilMs / 60_000}` : "";
  const replicas = replicaCount === undefined ? "" : ` --replicas ${replicaCount}`;
  const copies = traceCopyCount === 1 ? "" : ` --trace-copies ${traceCopyCount}`;
  const files = `${trace === undefined ? "" : ` --trace ${trace}`}${copies}${outages === undefined ? "" : ` --outages ${outages}`}`;
  return `node sim/run.ts --scenario ${scenario} --regime ${regime} --seeds ${seed} --policy ${contestant}${minutes}${replicas}${files}`;
}
