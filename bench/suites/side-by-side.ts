import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { killChildrenAtExit } from "../side-by-side/child-processes.ts";
import { CONTESTANTS } from "../side-by-side/contestants.ts";
import { listMeasures, STARTUP } from "../side-by-side/measures.ts";
import { buildNativeBinaries, MissingRequirement } from "../side-by-side/native-binaries.ts";
import { HELP, type Options, parseOptions } from "../side-by-side/options.ts";
import { installPeers } from "../side-by-side/peer-packages.ts";
import { type ReportInput, renderMarkdownReport, renderTerminalReport } from "../side-by-side/report.ts";
import { runMeasures } from "../side-by-side/run-measures.ts";

const LATEST = fileURLToPath(new URL("../../docs/benchmarks/latest.md", import.meta.url));
const STARTS_PER_ROUND = 3;
const SETTLE_MS = 500;
const QUICK_SETTLE_MS = 150;

/** One line that is written over on a terminal, one line per step elsewhere. */
function showStep(text: string, doneCount: number, totalCount: number): void {
  const line = `bench: [${doneCount + 1}/${totalCount}] ${text}`;
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
}

async function measure(options: Options, args: readonly string[]): Promise<ReportInput> {
  const contestants = CONTESTANTS.filter((contestant) => {
    if (!options.contestants.includes(contestant.name)) return false;
    const absence = contestant.explainAbsence?.();
    if (absence !== undefined) console.error(`bench: without ${contestant.title}: ${absence}.`);
    return absence === undefined;
  });
  const measures = listMeasures(options.quick).filter((one) => options.measures.includes(one.name));
  const startup = options.measures.includes(STARTUP);
  const binaries = buildNativeBinaries();
  if (options.contestants.includes("portkey")) installPeers();
  const results = await runMeasures({
    contestants,
    measures,
    startsPerRound: startup ? (options.quick ? 1 : STARTS_PER_ROUND) : 0,
    repeatCount: options.repeatCount,
    settleMs: options.quick ? QUICK_SETTLE_MS : SETTLE_MS,
    binaries,
    onStep: showStep,
  });
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const { quick, repeatCount } = options;
  const command = ["npm run bench --", ...args].join(" ");
  const date = new Date().toISOString().slice(0, 10);
  return { results, contestants, measures, startup, repeatCount, quick, command, date };
}

/**
 * Measures Sluice beside other gateways. Returns 0 when the run was complete, 1 when a
 * contestant failed, 2 for a wrong command line, 69 when this machine lacks something.
 */
export async function run(args: readonly string[]): Promise<number> {
  const parsed = parseOptions(args);
  if (parsed.kind === "help") {
    console.log(HELP);
    return 0;
  }
  if (parsed.kind === "wrong") {
    console.error(`bench: ${parsed.problem}`);
    return 2;
  }
  killChildrenAtExit();
  try {
    const input = await measure(parsed.options, args);
    console.log(renderTerminalReport(input));
    if (parsed.options.write) {
      mkdirSync(dirname(LATEST), { recursive: true });
      writeFileSync(LATEST, renderMarkdownReport(input));
      console.log("\nWritten to docs/benchmarks/latest.md.");
    }
    const failed = [...input.results.values()].some((cells) =>
      [...cells.values()].some((cell) => cell.problems.length > 0),
    );
    return failed ? 1 : 0;
  } catch (error) {
    if (!(error instanceof MissingRequirement)) throw error;
    console.error(`bench: ${error.message}.`);
    return 69;
  }
}
