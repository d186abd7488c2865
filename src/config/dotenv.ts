import type { ConfigProblem } from "./problem.ts";

const NAME = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };
const RIGHT = "NAME=value on one line; a value with # or spaces around it in quotes";

/**
 * Reads a `.env` file: lines `NAME=value`, with `export ` before them if one likes;
 * `#` begins a comment at the start of a line or after white space. Single quotes
 * keep everything as it is; double quotes know \n, \r, \t, \" and \\. Nothing is
 * replaced inside values, and a value ends with its line. The last of equal names wins.
 */
export function parseDotenv(
  text: string,
  source: string,
): { readonly values: Readonly<Record<string, string>>; readonly problems: readonly ConfigProblem[] } {
  const values: Record<string, string> = {};
  const problems: ConfigProblem[] = [];
  for (const [index, untrimmed] of text
    .replace(/^\ufeff/, "")
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = untrimmed.trim();
    if (line === "" || line.startsWith("#")) continue;
    const match = NAME.exec(line);
    const name = match?.[1];
    const value = match === null ? undefined : parseValue(line.slice(match[0].length));
    if (name === undefined) {
      problems.push({ source, path: "", line: index + 1, wrong: "has a line without NAME=", right: RIGHT });
    } else if (value === undefined) {
      problems.push({
        source,
        path: name,
        line: index + 1,
        wrong: "has quotes that do not match",
        right: RIGHT,
      });
    } else {
      // Plain assignment would lose a variable named __proto__.
      Object.defineProperty(values, name, { value, enumerable: true, configurable: true, writable: true });
    }
  }
  return { values, problems };
}

function parseValue(text: string): string | undefined {
  const quote = text[0];
  if (quote === "'") return /^'([^']*)'(?:[ \t]*|[ \t]+#.*)$/.exec(text)?.[1];
  if (quote === '"') {
    const inside = /^"((?:[^"\\]|\\.)*)"(?:[ \t]*|[ \t]+#.*)$/.exec(text)?.[1];
    return inside?.replace(/\\(.)/g, (match: string, letter: string) => ESCAPES[letter] ?? match);
  }
  return text.replace(/(?:^|[ \t]+)#.*$/, "").trimEnd();
}
