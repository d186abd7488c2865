/** A table of texts. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Numbers are aligned right except in the first column, words left. */
  readonly content: "numbers" | "words";
}

function isLeft(table: Table, column: number): boolean {
  return column === 0 || table.content === "words";
}

/** For a terminal: columns padded with spaces. */
export function renderText(table: Table): string {
  const lines = [table.head, ...table.rows];
  const widths = table.head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const body = lines.map((line) =>
    widths
      .map((width, column) => {
        const cell = line[column] ?? "";
        return isLeft(table, column) ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
  body.splice(1, 0, widths.map((width) => "-".repeat(width)).join("  "));
  return [table.title, ...body].join("\n");
}

/** For Markdown; a vertical bar in a cell is escaped. */
export function renderMarkdown(table: Table): string {
  const line = (cells: readonly string[]): string =>
    `| ${table.head.map((_, column) => (cells[column] ?? "").replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = `| ${table.head.map((_, column) => (isLeft(table, column) ? "---" : "---:")).join(" | ")} |`;
  return [`### ${table.title}`, "", line(table.head), rule, ...table.rows.map(line)].join("\n");
}
