/** Reads a command's options and operands from the command line. */

import { parseArgs } from "node:util";
import { findNearName } from "../config/near-name.ts";
import type { OptionSpecs } from "./option-spec.ts";
import { printable } from "./printable-text.ts";
import { UsageError } from "./usage-error.ts";

/** What the command line held. Asking for an option that the command does not declare is a bug and throws. */
export interface Arguments {
  /** What was given beside options. */
  readonly operands: readonly string[];
  /** Whether a boolean option was given. */
  has(name: string): boolean;
  /** The last value of a string option. */
  text(name: string): string | undefined;
  /** All values of a string option, in order. */
  texts(name: string): readonly string[];
}

/** Parses `argv`, the part after the command's name. Throws UsageError on anything the command does not know. */
export function parseArguments(
  argv: readonly string[],
  options: OptionSpecs,
  maxOperandCount = Number.POSITIVE_INFINITY,
): Arguments {
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { type, short }]) => [name, short ? { type, short } : { type }]),
    ),
    // Our own checks below name the near option; the built-in ones do not.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags = new Set<string>();
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const spec = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (spec === undefined) throw new UsageError(describeUnknownOption(token.rawName, options));
    if (spec.type === "boolean") {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value.`);
      flags.add(token.name);
      continue;
    }
    const value = token.value;
    if (value === undefined) throw new UsageError(`${token.rawName} needs a value: ${spec.placeholder}.`);
    if (!token.inlineValue && value.length > 1 && value.startsWith("-")) {
      throw new UsageError(
        `${token.rawName} needs a value, but ${printable(value)} looks like an option. Write ${token.rawName}=${printable(value)} if you mean it.`,
      );
    }
    const before = values.get(token.name) ?? [];
    if (before.length > 0 && spec.multiple !== true)
      throw new UsageError(`${token.rawName} was given twice.`);
    values.set(token.name, [...before, value]);
  }
  const surplus = operands[maxOperandCount];
  if (surplus !== undefined)
    throw new UsageError(`Nothing more was expected, but there is "${printable(surplus)}".`);
  const check = (name: string): void => {
    if (!Object.hasOwn(options, name)) throw new Error(`option --${name} is not declared`);
  };
  return {
    operands,
    has(name) {
      check(name);
      return flags.has(name);
    },
    text(name) {
      check(name);
      return values.get(name)?.at(-1);
    },
    texts(name) {
      check(name);
      return values.get(name) ?? [];
    },
  };
}

function describeUnknownOption(rawName: string, options: OptionSpecs): string {
  const near = findNearName(rawName.replace(/^-+/, ""), Object.keys(options));
  const hint = near === undefined ? "" : ` Did you mean --${near}?`;
  return `There is no option ${printable(rawName)}.${hint}`;
}
