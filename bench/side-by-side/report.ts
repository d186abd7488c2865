import type { Contestant } from "./contestants.ts";
import { describeMachine } from "./machine.ts";
import type { Measure } from "./measures.ts";
import { countDisturbed, listProblems, renderGoals, renderMeasure, renderStartup } from "./result-tables.ts";
import type { Results } from "./sample.ts";
import { renderMarkdown, renderText, type Table } from "./table.ts";

/** A finished run and how it was made. */
export interface ReportInput {
  readonly results: Results;
  readonly contestants: readonly Contestant[];
  readonly measures: readonly Measure[];
  readonly startup: boolean;
  readonly repeatCount: number;
  readonly quick: boolean;
  /** What was typed. */
  readonly command: string;
  /** The day, as 2026-11-20. */
  readonly date: string;
}

const NOTES = `- A requests/s or tokens/s "per core" is 1 / CPU time: the CPU time of all threads of the gateway, from the
  scheduler's own count. It is the number to compare; the measured rate also depends on the load generator.
- \`*\`: the core was less than 95 % busy, so its CPU time also pays for waking up. Do not compare it with others.
- "others": the share of the gateway's core that other programs took, to a few percent. Above 15 % do not judge by it.
- "spread" is (largest - smallest) / median of CPU time over the repetitions.
- Every answer was checked: status, number of tokens, a proper end.
- Sluice and the streams ask the upstream with \`stream: true\`; the small proxies and Portkey ask for a whole JSON
  answer in the unary measures, which is less work. An answer has 8 tokens there, written at once.
- Sluice runs with \`log_level: warn\`: no contestant writes an access log.
- Everything is loopback and cleartext. A token's latency is from the upstream's write to its receipt.
- Portkey runs with @hono/node-server 1.13.8: a plain installation answers 500 to every stream.`;

function listTables(input: ReportInput): Table[] {
  const tables = input.measures.map((measure) => renderMeasure(measure, input.contestants, input.results));
  if (input.startup) tables.push(renderStartup(input.contestants, input.results));
  return tables;
}

/** A warning where other programs were in the way, or nothing. */
function describeDisturbance(results: Results): string {
  const { disturbedCount, cellCount } = countDisturbed(results);
  if (disturbedCount === 0) return "";
  return `**Disturbed: in ${disturbedCount} of ${cellCount} results other programs took more than 15 % of the gateway's core (column "others"). Run it again on a quiet machine before judging.**`;
}

function describeProblems(results: Results): string[] {
  const problems = listProblems(results);
  return problems.length === 0 ? [] : ["Problems:", ...problems.map((problem) => `- ${problem}`)];
}

/** The report for a terminal. */
export function renderTerminalReport(input: ReportInput): string {
  const tables = [...listTables(input), renderGoals(input.results)].map(renderText);
  return [
    ...tables,
    describeDisturbance(input.results).replaceAll("**", ""),
    describeProblems(input.results).join("\n"),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** The report for docs/benchmarks/latest.md. */
export function renderMarkdownReport(input: ReportInput): string {
  const { quick, repeatCount } = input;
  const rounds = `${repeatCount} interleaved repetition${repeatCount === 1 ? "" : "s"}, medians`;
  const parts = [
    "# Sluice beside other gateways",
    `Written by \`npm run bench\` on ${input.date}: ${rounds}.${
      quick || repeatCount < 3 ? " **Too short to judge by: at least 3 full repetitions are needed.**" : ""
    }`,
    describeDisturbance(input.results),
    `\`\`\`\n${input.command}\n\`\`\``,
    describeMachine().join("\n"),
    renderMarkdown(renderGoals(input.results)).replace("### Goals", "## Goals"),
    "## Results",
    ...listTables(input).map(renderMarkdown),
    describeProblems(input.results).join("\n"),
    "## How to read it",
    NOTES,
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}
