/** `npm run sim`: the router against everyone else's strategy, in virtual time. */

import { accessSync, constants, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { KeptRuns } from "./cli/kept-runs.ts";
import { HELP, nameCommand, readOptions, type SimOptions } from "./cli/options.ts";
import { ENDPOINTS_FILE, type RunTask, readOutages, readTrace, replayCommand } from "./cli/run-task.ts";
import { runTasks } from "./cli/run-tasks.ts";
import { CONTESTANTS, VARIANTS } from "./policies/contestants.ts";
import { judgeSweep, renderSweep } from "./report/judge-sweep.ts";
import { renderHtml } from "./report/render-html.ts";
import { renderMarkdown } from "./report/render-markdown.ts";
import { renderTerminal } from "./report/render-terminal.ts";
import { buildReport } from "./report/report.ts";
import { readEndpoints } from "./world/endpoint-spec.ts";
import { DataError } from "./world/read-json.ts";
import { readScenario, refuseUnknownPlaces, type Scenario } from "./world/scenario.ts";

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
  const endpoints = readEndpoints(ENDPOINTS_FILE);
  const known = new Map<string, string>();
  for (const { file, scenario } of all) {
    const id = scenario.id.toUpperCase();
    const other = known.get(id);
    if (other !== undefined) throw new DataError(`${file}: id: ${scenario.id} is that of ${other} too`);
    known.set(id, file);
    refuseUnknownPlaces(scenario, endpoints, file);
  }
  for (const id of wanted) {
    if (!known.has(id))
      throw new DataError(`--scenario: ${id} is unknown; one of ${[...known.keys()].join(", ")}`);
  }
  return wanted.length === 0 ? all : all.filter(({ scenario }) => wanted.includes(scenario.id.toUpperCase()));
}

/** Finds what would spoil a long run at its end, or in the middle, before it begins. Throws `DataError`. */
function checkFiles(options: SimOptions, scenarios: readonly ScenarioFile[]): void {
  const { trace, traceCopyCount, outages, json, markdown, html, keep, sweep } = options;
  if (trace !== undefined) readTrace(trace, traceCopyCount);
  if (outages !== undefined) {
    if (!scenarios.some(({ scenario }) => scenario.incidents))
      throw new DataError("--outages: none of the scenarios has incidents; S16 has");
    readOutages(outages, readEndpoints(ENDPOINTS_FILE));
  }
  for (const [name, file] of Object.entries({ json, markdown, html, keep, sweep })) {
    if (file === undefined) continue;
    try {
      accessSync(dirname(file), constants.W_OK);
    } catch {
      throw new DataError(`--${name}: ${dirname(file)} must be a folder that can be written to`);
    }
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
      throw new DataError(`--${name}: ${file} is a folder`);
  }
}

function listTasks(options: SimOptions, scenarios: readonly ScenarioFile[]): readonly RunTask[] {
  const { policies, trace, traceCopyCount, outages, untilMs } = options;
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
            traceCopyCount,
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
  checkFiles(options, scenarios);
  const tasks = listTasks(options, scenarios);
  const kept = options.keep === undefined ? undefined : new KeptRuns(options.keep);
  const startedMs = performance.now();
  const results = await runTasks(tasks, options.jobCount, kept, (doneCount) => {
    const text = `${doneCount} of ${tasks.length} runs${guessLeft(performance.now() - startedMs, doneCount / tasks.length)}`;
    if (process.stderr.isTTY) process.stderr.write(`\r${text}\u001b[K`);
    else if (doneCount % 50 === 0) process.stderr.write(`${text}\n`);
  });
  if (process.stderr.isTTY) process.stderr.write("\n");
  const command = nameCommand(args);
  if (options.sweep !== undefined) {
    const sweep = judgeSweep(results, command);
    writeFileSync(options.sweep, `${JSON.stringify(sweep, undefined, 2)}\n`);
    process.stdout.write(renderSweep(sweep));
    const broken = results.filter(({ violation }) => violation !== undefined);
    for (const { violation, task } of broken)
      process.stdout.write(`BROKEN RULE ${violation}\n  ${replayCommand(task)}\n`);
    return broken.length === 0 ? 0 : 1;
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

/** How long the rest may take, by the pace so far; nothing when it is done. */
function guessLeft(passedMs: number, doneRatio: number): string {
  if (doneRatio >= 1) return "";
  const leftMinutes = (passedMs * (1 / doneRatio - 1)) / 60_000;
  return leftMinutes < 1 ? ", less than a minute left" : `, about ${Math.ceil(leftMinutes)} min left`;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof DataError)) throw error;
  process.stderr.write(`sim: ${error.message}\n`);
  process.exitCode = 2;
}
