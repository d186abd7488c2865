import { COLUMNS } from "./columns.ts";
import type { GoalResult } from "./goals.ts";
import type { Report } from "./report.ts";
import type { Table } from "./summarize.ts";

/** Below so many seeds a percentile bootstrap covers far less than it says. */
const FEW_SEEDS = 10;

/** Renders the report as Markdown. */
export function renderMarkdown(report: Report): string {
  const { seeds, requestCount, utilityVersion, command, losses, oracleLosses, violations, tables, goals } =
    report;
  return [
    "# Routing benchmark",
    "",
    "The shipped router and other strategies in virtual time, under the same luck. Generated; do not edit.",
    "",
    `- Command: \`${command}\``,
    `- Seeds: ${nameSeeds(seeds)}; ${requestCount.toLocaleString("en")} simulated requests; utility ${utilityVersion}`,
    ...(seeds.length < FEW_SEEDS
      ? [
          `- Intervals over ${seeds.length} seeds are narrower than 95 %: the bootstrap needs ${FEW_SEEDS} or more to be near it.`,
        ]
      : []),
    "- Utility: `success × (wq·quality + wl·e^(−T/2Tref) + wc·e^(−cost/cref))`, see `sim/world/utility.ts`.",
    "- Regret is normalised: 0 is the oracle O1, 100 % is random choice. O1 knows the state of the world (errors,",
    "  speeds, what is left of every quota) but not the draws, and saves scarce quota for those to whom it is",
    "  worth most. It makes one call at a time and looks no further ahead, so it is the best reference we know",
    "  and no bound: who hedges can beat it on tails, and who keeps quota for a burst, in the burst. A negative",
    "  regret means that it was beaten; a goal of regret then proves nothing and is not called met.",
    "- Baselines are our readings of published descriptions with the figures that suited them best in a sweep",
    "  (`sim/data/tuned.json`); they share attempts, deadlines and failure classes with Sluice. Figures are",
    "  means over seeds.",
    "- Wasted calls are refusals, errors, broken answers and calls that never answered. Aborted ones (hedges that",
    "  lost, deadlines) have a column of their own. Times are those of requests that succeeded.",
    "",
    "## Goals (tight regime; the worse end of the 95 % interval must meet them)",
    "",
    ...renderGoals(goals),
    "",
    "## Where a baseline is better",
    "",
    ...(losses.length === 0
      ? ["Nowhere, beyond the interval of the paired difference."]
      : losses.map((loss) => `- ${loss}`)),
    "",
    "## Where the oracle is beaten",
    "",
    ...(oracleLosses.length === 0
      ? ["Nowhere, beyond the interval."]
      : oracleLosses.map((loss) => `- ${loss}`)),
    "",
    "## Broken rules",
    "",
    ...(violations.length === 0
      ? ["None in any run."]
      : violations.map(({ rule, replay }) => `- ${rule} (\`${replay}\`)`)),
    "",
    ...tables.flatMap((table) => renderTable(table, report.titles[table.scenario] ?? "")),
  ].join("\n");
}

function renderGoals(goals: readonly GoalResult[]): readonly string[] {
  const rows = goals.map((goal) => {
    const { scenario, text, verdict } = goal;
    return `| ${scenario} | ${text} | ${showFigure(goal)} | ${verdict === "missed" ? "**missed**" : verdict} |`;
  });
  return ["| scenario | goal | figure (95 % interval) | |", "|---|---|---|---|", ...rows];
}

/** The figure with its interval and unit, or why there is none. */
export function showFigure({ figure, neverCount, unit }: GoalResult): string {
  if (neverCount > 0) return `never in ${neverCount} of the runs`;
  if (figure === undefined) return "–";
  const number = (value: number) => value.toFixed(unit === "ms" ? 0 : 2);
  return `${number(figure.value)} (${number(figure.low)}–${number(figure.high)}) ${unit}`.trim();
}

function renderTable({ scenario, regime, rows }: Table, title: string): readonly string[] {
  return [
    `## ${scenario}, ${regime}: ${title}`,
    "",
    `| ${COLUMNS.map((column) => column.title).join(" | ")} |`,
    `|${COLUMNS.map(() => "---").join("|")}|`,
    ...rows.map((row) => `| ${COLUMNS.map(({ show }) => show(row)).join(" | ")} |`),
    "",
  ];
}

function nameSeeds(seeds: readonly number[]): string {
  const first = seeds[0] ?? 0;
  const isRange = seeds.every((seed, index) => seed === first + index);
  return isRange && seeds.length > 1 ? `${first}–${seeds.at(-1)}` : seeds.join(", ");
}
