import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** The repository. */
export const ROOT = join(import.meta.dirname, "../..");

const FOLDERS = ["", "docs", "examples"];

/** A fenced block. */
export interface Fence {
  /** What stands after the opening fence. */
  readonly language: string;
  readonly text: string;
  /** Of its opening fence, from 1. */
  readonly line: number;
}

/** Every Markdown file that belongs to the project, relative to the repository. */
export function listPages(): readonly string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: folder !== "", withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
      .filter((path) => !path.split("/").some((part) => part === "node_modules" || part === ".venv")),
  ).toSorted();
}

/** The text of a page or any other file. */
export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The fenced blocks of a page, in order. */
export function readFences(text: string): readonly Fence[] {
  const fences: Fence[] = [];
  let open: { language: string; lines: string[]; line: number } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const [, language] = /^```(.*)$/.exec(line) ?? [];
    if (language === undefined) open?.lines.push(line);
    else if (open === undefined) open = { language, lines: [], line: index + 1 };
    else {
      fences.push({ language: open.language, text: open.lines.join("\n"), line: open.line });
      open = undefined;
    }
  }
  return fences;
}

/** A page without its fenced blocks; the lines keep their numbers. */
export function dropFences(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, (block) => block.replace(/[^\n]/g, ""));
}

/** The anchors of a page's headings, as GitHub makes them. */
export function listAnchors(text: string): readonly string[] {
  return [...dropFences(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** The commands of a shell block: comments dropped, continued lines joined. */
export function listCommands(block: string): readonly string[] {
  return block
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .map((line) => line.replace(/(^|\s)#\s.*$/, "").trim())
    .filter((line) => line !== "");
}

/** The blank-line-separated parts of a text, without the indentation they share. */
export function listParagraphs(text: string): readonly string[] {
  return text
    .split(/\n\s*\n/)
    .map((part) => part.replace(/^\n+|\s+$/g, ""))
    .filter((part) => part !== "")
    .map(dedent);
}

/** Whether `paragraph` stands in `text` as lines one after the other, however far indented. */
export function holdsParagraph(text: string, paragraph: string): boolean {
  const lines = text.split("\n");
  const wanted = paragraph.split("\n");
  return lines.some(
    (_, start) => dedent(lines.slice(start, start + wanted.length).join("\n")) === wanted.join("\n"),
  );
}

function dedent(text: string): string {
  const lines = text.split("\n").map((line) => line.trimEnd());
  const indents = lines.filter((line) => line !== "").map((line) => /^\s*/.exec(line)?.[0].length ?? 0);
  const shared = Math.min(...indents);
  return lines.map((line) => line.slice(shared)).join("\n");
}
