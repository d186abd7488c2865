import { COLUMNS } from "./columns.ts";
import { showFigure } from "./render-markdown.ts";
import type { Report } from "./report.ts";

/** Renders the report for a terminal: one block per scenario, then the goals. */
export function renderTerminal({ tables, titles, goals, losses, oracleLosses, violations }: Report): string {
  const lines: string[] = [];
  for (const { scenario, regime, rows } of tables) {
    lines.push("", `${scenario} ${regime}: ${titles[scenario] ?? ""}`);
    const cells = [
      COLUMNS.map(({ title }) => title),
      ...rows.map((row) => COLUMNS.map(({ show }) => show(row))),
    ];
    const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
    for (const row of cells) {
      lines.push(
        row
          .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
          .join("  "),
      );
    }
  }
  lines.push("", "Goals");
  for (const goal of goals) {
    const { scenario, text, verdict } = goal;
    const figure = verdict === "not measured" ? "" : `: ${showFigure(goal)}`;
    lines.push(`  ${verdict.padEnd(16)} ${scenario.padEnd(3)} ${text}${figure}`);
  }
  lines.push(
    "",
    `A baseline is better: ${losses.length === 0 ? "nowhere" : ""}`,
    ...losses.map((loss) => `  ${loss}`),
    `The oracle is beaten: ${oracleLosses.length === 0 ? "nowhere" : ""}`,
    ...oracleLosses.map((loss) => `  ${loss}`),
  );
  for (const { rule, replay } of violations) lines.push(`BROKEN RULE ${rule}`, `  ${replay}`);
  return `${lines.join("\n")}\n`;
}
