/** The texts of `--help`. */

import type { Command, Example, LeafCommand } from "./command.ts";
import { EXIT_CODES } from "./exit-code.ts";
import type { OptionSpecs } from "./option-spec.ts";
import { measureWidth } from "./text-width.ts";

const INDENT = "  ";

const SUMMARY =
  "Sluice routes language-model requests: it chooses the model, calls it, survives its failures and counts its cost.";

/** The help of the whole program. */
export function renderProgramHelp(commands: readonly Command[], width: number): string {
  return joinBlocks([
    wrap(SUMMARY, width, ""),
    ["Usage: sluice <command> [options]", "       sluice --version | --help"],
    section(
      "Commands",
      renderPairs(
        commands.map(({ name, summary }) => [name, summary]),
        width,
      ),
    ),
    section(
      "Examples",
      renderExamples(
        commands.flatMap(({ examples }) => examples.slice(0, 1)),
        width,
      ),
    ),
    renderExitCodes(width),
    wrap("`sluice <command> --help` tells more, with examples.", width, ""),
  ]);
}

/** The help of one command or group. */
export function renderCommandHelp(command: Command, width: number): string {
  if (command.kind === "leaf") return renderLeafHelp(command, width);
  const { name, summary, commands, examples } = command;
  return joinBlocks([
    wrap(`sluice ${name}: ${summary}`, width, ""),
    [`Usage: sluice ${name} <${commands.map((each) => each.name.split(" ").at(-1)).join("|")}> [options]`],
    section(
      "Commands",
      renderPairs(
        commands.map((each) => [each.name, each.summary]),
        width,
      ),
    ),
    section("Examples", renderExamples(examples, width)),
    renderExitCodes(width),
  ]);
}

function renderLeafHelp(command: LeafCommand, width: number): string {
  const { name, operands, summary, description, options, examples } = command;
  return joinBlocks([
    wrap(`sluice ${name}: ${summary}`, width, ""),
    [`Usage: sluice ${name} [options]${operands === "" ? "" : ` ${operands}`}`],
    wrap(description, width, ""),
    section("Options", renderOptions(options, width)),
    section("Examples", renderExamples(examples, width)),
    renderExitCodes(width),
  ]);
}

function renderOptions(options: OptionSpecs, width: number): string[] {
  const pairs = Object.entries(options).map(
    ([name, { short, placeholder, description }]): [string, string] => {
      const value = placeholder === undefined ? "" : ` ${placeholder}`;
      return [`${short === undefined ? "    " : `-${short}, `}--${name}${value}`, description];
    },
  );
  return renderPairs(pairs, width);
}

function renderExamples(examples: readonly Example[], width: number): string[] {
  return examples.flatMap(({ command, meaning }) => [
    `${INDENT}${command}`,
    ...wrap(meaning, width, INDENT.repeat(3)),
  ]);
}

function renderExitCodes(width: number): string[] {
  const rows = Object.values(EXIT_CODES).map(({ code, meaning }): [string, string] => [
    String(code),
    meaning,
  ]);
  return section("Exit codes", renderPairs(rows, width));
}

/** Two columns; the second wraps. */
function renderPairs(pairs: readonly (readonly [string, string])[], width: number): string[] {
  const left = Math.max(...pairs.map(([term]) => measureWidth(term))) + INDENT.length * 2;
  return pairs.flatMap(([term, text]) => {
    const [first = "", ...rest] = wrap(text, width, " ".repeat(left));
    return [`${INDENT}${term}`.padEnd(left) + first.trimStart(), ...rest];
  });
}

function section(heading: string, lines: readonly string[]): string[] {
  return [`${heading}:`, ...lines];
}

function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && indent.length + measureWidth(longer) > width) {
      lines.push(indent + line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, indent + line];
}

function joinBlocks(blocks: readonly (readonly string[])[]): string {
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}
