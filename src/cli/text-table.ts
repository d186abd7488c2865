/** Lays out rows in columns that fit a given width. */

import { type Emphasis, type Paint, paintNothing } from "./colour.ts";
import { printable } from "./printable-text.ts";
import { measureWidth, padToWidth, truncateToWidth } from "./text-width.ts";

/** One column. */
export interface Column<Row> {
  readonly heading: string;
  readonly align?: "left" | "right";
  /** The text of a cell; control characters are made visible. */
  text(row: Row): string;
  /** What the cell is, for colour. */
  emphasis?(row: Row): Emphasis;
}

const GAP = "  ";
/** The first column may take this share of the width, so that others fit beside it. */
const MAX_KEY_RATIO = 0.5;

/**
 * Renders rows as lines, none wider than `width`. Columns that do not fit beside
 * the others go on below in a further table, whose first column is the same.
 */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  paint: Paint = paintNothing,
): string[] {
  const [key, ...others] = columns.map((column, index) => {
    const cells = rows.map((row) => printable(column.text(row)));
    const natural = Math.max(measureWidth(column.heading), ...cells.map(measureWidth));
    const limit = index === 0 && columns.length > 1 ? Math.floor(width * MAX_KEY_RATIO) : width;
    return { column, cells, width: Math.min(natural, limit) };
  });
  if (key === undefined) return [];
  const tables: (typeof others)[] = [];
  let usedWidth = Number.POSITIVE_INFINITY;
  for (const column of others) {
    const room = width - key.width - GAP.length;
    const fitted = { ...column, width: Math.min(column.width, room) };
    usedWidth += GAP.length + fitted.width;
    if (usedWidth > width) {
      tables.push([]);
      usedWidth = key.width + GAP.length + fitted.width;
    }
    tables.at(-1)?.push(fitted);
  }
  if (tables.length === 0) tables.push([]);
  const lines: string[] = [];
  for (const table of tables) {
    if (lines.length > 0) lines.push("");
    const shown = [key, ...table];
    const headings = shown.map((c) => fitCell(c.column.heading, c.width, c.column.align));
    lines.push(paint("heading", headings.join(GAP).trimEnd()));
    for (const [index, row] of rows.entries()) {
      const cells = shown.map((c) =>
        paint(c.column.emphasis?.(row) ?? "plain", fitCell(c.cells[index] ?? "", c.width, c.column.align)),
      );
      lines.push(cells.join(GAP).trimEnd());
    }
  }
  return lines;
}

function fitCell(text: string, width: number, align: "left" | "right" = "left"): string {
  return padToWidth(truncateToWidth(text, width), width, align);
}
