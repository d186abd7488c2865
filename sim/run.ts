/** `npm run sim`: the router against everyone else's strategy, in virtual time. */

import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KeptRuns } from "./cli/kept-runs.ts";
import { HELP, readOptions, type SimOptions } from "./cli/options.ts";
import type { RunTask } from "./cli/run-task.ts";
import { runTasks } from "./cli/run-tasks.ts";
import { CONTESTANTS, VARIANTS } from "./policies/contestants.ts";
import { judgeSweep, renderSweep } from "./report/judge-sweep.ts";
import { renderHtml } from "./report/render-html.ts";
import { renderMarkdown } from "./report/render-markdown.ts";
import { renderTerminal } from "./report/render-terminal.ts";
import { buildReport } from "./report/report.ts";
import { DataError } from "./world/read-json.ts";
import { readScenario, type Scenario } from "./world/scenario.ts";

const SCENARIO_FOLDER = join(import.meta.dirname, "data/scenarios");

interface ScenarioFile {
  readonly file: string;
  readonly scenario: Scenario;
}

/** Every scenario in the folder, in the order of their numbers. */
function listScenarios(wanted: readonly string[]): readonly ScenarioFile[] {
  const all = readdirSync(SCENARIO_FOLDER)
    .filter((name) => name.endsWith(".json"))
    .map((name) => join(SCENARIO_FOLDER, name))
    .map((file): ScenarioFile => ({ file, scenario: readScenario(file) }))
    .toSorted((a, b) => a.scenario.id.localeCompare(b.scenario.id, "en", { numeric: true }));
  const known = all.map(({ scenario }) => scenario.id);
  for (const id of wanted) {
    if (!known.includes(id)) throw new DataError(`--scenario: ${id} is unknown; one of ${known.join(", ")}`);
  }
  return wanted.length === 0 ? all : all.filter(({ scenario }) => wanted.includes(scenario.id));
}

function listTasks(options: SimOptions, scenarios: readonly ScenarioFile[]): readonly RunTask[] {
  const { policies, trace, outages, untilMs } = options;
  const contestants = (options.sweep === undefined ? CONTESTANTS : VARIANTS).filter(
    ({ name }) => policies.length === 0 || policies.includes(name.split("@")[0] ?? name),
  );
  return scenarios.flatMap(({ file, scenario }) =>
    options.regimes.flatMap((regime) =>
      contestants.flatMap(({ name }) =>
        options.seeds.map(
          (seed): RunTask => ({
            scenarioFile: file,
            scenario: scenario.id,
            regime,
            seed,
            contestant: name,
            untilMs,
            trace,
            outages,
            replicaCount: options.replicaCount,
          }),
        ),
      ),
    ),
  );
}

/** Answers the exit code: 0, or 1 when a rule was broken. */
async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const scenarios = listScenarios(options.scenarios);
  const tasks = listTasks(options, scenarios);
  const kept = options.keep === undefined ? undefined : new KeptRuns(options.keep);
  const results = await runTasks(tasks, options.jobCount, kept, (doneCount) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${doneCount} of ${tasks.length} runs`);
    else if (doneCount % 50 === 0) process.stderr.write(`${doneCount} of ${tasks.length} runs\n`);
  });
  if (process.stderr.isTTY) process.stderr.write("\n");
  const asked = args.filter((arg, index) => !isOutput(arg) && !isOutput(args[index - 1]));
  const command = ["node sim/run.ts", ...asked].join(" ");
  if (options.sweep !== undefined) {
    const sweep = judgeSweep(results, command);
    writeFileSync(options.sweep, `${JSON.stringify(sweep, undefined, 2)}\n`);
    process.stdout.write(renderSweep(sweep));
    return 0;
  }
  const report = buildReport(
    results,
    scenarios.map(({ scenario }) => scenario),
    command,
  );
  process.stdout.write(renderTerminal(report));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (options.markdown !== undefined) writeFileSync(options.markdown, renderMarkdown(report));
  if (options.html !== undefined) writeFileSync(options.html, renderHtml(report));
  return report.violations.length === 0 ? 0 : 1;
}

/** Where a report goes, and how many threads make it, changes nothing in it. */
function isOutput(arg: string | undefined): boolean {
  return ["--json", "--markdown", "--html", "--jobs", "--keep"].includes(arg ?? "");
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof DataError)) throw error;
  process.stderr.write(`sim: ${error.message}\n`);
  process.exitCode = 2;
}
