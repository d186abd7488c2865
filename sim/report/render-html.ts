import { COLUMNS } from "./columns.ts";
import { showFigure } from "./render-markdown.ts";
import type { Report } from "./report.ts";
import type { Row, Table } from "./summarize.ts";

const BAR_WIDTH = 420;
const ROW_HEIGHT = 18;
/** Enough for the longest title of a contestant with its figures. */
const LABEL_WIDTH = 560;
/** What a plot shows of regret; what lies beyond ends at its edge. */
const LEAST_REGRET = -0.1;
const MOST_REGRET = 1.2;

/** Renders the report as one page that needs nothing else: tables, and bars of regret with their intervals. */
export function renderHtml(report: Report): string {
  const { goals, tables, titles, losses, oracleLosses, violations, command } = report;
  const goalRows = goals.map((goal) => {
    const cells = [goal.scenario, goal.text, showFigure(goal), goal.verdict];
    return `<tr class="${goal.verdict === "missed" ? "missed" : ""}">${cells.map((cell) => `<td>${escapeText(cell)}</td>`).join("")}</tr>`;
  });
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Routing benchmark</title>
<style>body{font:14px system-ui,sans-serif;margin:2em;color:#222}table{border-collapse:collapse;margin:1em 0}
td,th{border:1px solid #ccc;padding:2px 6px;text-align:right}td:first-child,.goals *{text-align:left}.missed{background:#fdd}svg text{font:12px system-ui}</style>
<h1>Routing benchmark</h1><p><code>${escapeText(command)}</code></p>
<h2>Goals</h2><p>In the tight regime; the worse end of the 95 % interval must meet them.</p>
<table class="goals"><tr><th>scenario</th><th>goal</th><th>figure (95 % interval)</th><th></th></tr>${goalRows.join("")}</table>
<h2>Where a baseline is better</h2><ul>${losses.map((loss) => `<li>${escapeText(loss)}</li>`).join("") || "<li>nowhere</li>"}</ul>
<h2>Where the oracle is beaten</h2><ul>${oracleLosses.map((loss) => `<li>${escapeText(loss)}</li>`).join("") || "<li>nowhere</li>"}</ul>
<h2>Broken rules</h2><ul>${violations.map(({ rule, replay }) => `<li>${escapeText(rule)}: <code>${escapeText(replay)}</code></li>`).join("") || "<li>none</li>"}</ul>
${tables.map((table) => renderTable(table, titles[table.scenario] ?? "")).join("\n")}
</html>
`;
}

function renderTable({ scenario, regime, rows }: Table, title: string): string {
  const head = COLUMNS.map((column) => `<th>${escapeText(column.title)}</th>`).join("");
  const body = rows.map(
    (row) => `<tr>${COLUMNS.map(({ show }) => `<td>${escapeText(show(row))}</td>`).join("")}</tr>`,
  );
  return `<h2>${escapeText(scenario)}, ${regime}: ${escapeText(title)}</h2>${plotRegret(rows)}<table><tr>${head}</tr>${body.join("")}</table>`;
}

/** One bar of normalised regret per row, from −10 to 120 %, with a line for its interval. */
function plotRegret(rows: readonly Row[]): string {
  const bars = rows.flatMap(({ title, kind, regret }, index) => {
    if (regret === undefined) return [];
    const x = (value: number) => {
      const shown = Math.min(Math.max(value, LEAST_REGRET), MOST_REGRET);
      return LABEL_WIDTH + (BAR_WIDTH * (shown - LEAST_REGRET)) / (MOST_REGRET - LEAST_REGRET);
    };
    const [from, to] = [x(Math.min(regret.value, 0)), x(Math.max(regret.value, 0))];
    const y = index * ROW_HEIGHT;
    const colour =
      kind === "ours" ? "#0a7" : kind === "ablation" ? "#9c6" : kind === "oracle" ? "#888" : "#59c";
    return [
      `<text x="0" y="${y + 13}">${escapeText(title)}</text>`,
      `<rect x="${from.toFixed(1)}" y="${y + 3}" width="${Math.max(to - from, 1).toFixed(1)}" height="11" fill="${colour}"/>`,
      `<line x1="${x(regret.low).toFixed(1)}" x2="${x(regret.high).toFixed(1)}" y1="${y + 8.5}" y2="${y + 8.5}" stroke="#000"/>`,
    ];
  });
  if (bars.length === 0) return "";
  const width = LABEL_WIDTH + BAR_WIDTH + 10;
  return `<p>Normalised regret, −10 to 120 %</p><svg width="${width}" height="${rows.length * ROW_HEIGHT + 4}" role="img" aria-label="normalised regret by policy">${bars.join("")}</svg>`;
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
