/** Finds the command, runs it, and turns what stops it into an exit code. */

import { findNearName } from "../config/near-name.ts";
import type { Command, LeafCommand } from "./command.ts";
import { batchCommand } from "./commands/batch.ts";
import { callsCommand } from "./commands/calls.ts";
import { configCommand } from "./commands/config.ts";
import { demoCommand } from "./commands/demo.ts";
import { explainCommand } from "./commands/explain.ts";
import { generateCommand } from "./commands/generate.ts";
import { keysCommand } from "./commands/keys.ts";
import { metricsCommand } from "./commands/metrics.ts";
import { modelsCommand } from "./commands/models.ts";
import { recommendCommand } from "./commands/recommend.ts";
import { resetCommand } from "./commands/reset.ts";
import { serveCommand } from "./commands/serve.ts";
import { simulateCommand } from "./commands/simulate.ts";
import { streamCommand } from "./commands/stream.ts";
import { testModelsCommand } from "./commands/test-models.ts";
import { usageCommand } from "./commands/usage.ts";
import { exitCode } from "./exit-code.ts";
import { renderCommandHelp, renderProgramHelp } from "./help-text.ts";
import { parseArguments } from "./parse-arguments.ts";
import { printable } from "./printable-text.ts";
import { chooseWidth, OutputClosedError, OutputFailedError, type Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";
import { readVersion } from "./version.ts";

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  serveCommand,
  generateCommand,
  streamCommand,
  batchCommand,
  metricsCommand,
  modelsCommand,
  testModelsCommand,
  recommendCommand,
  explainCommand,
  usageCommand,
  callsCommand,
  resetCommand,
  configCommand,
  keysCommand,
  simulateCommand,
  demoCommand,
];

/** Runs the program with `argv`, which starts after the program's name. Resolves with the exit code; a rejection is a bug. */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(argv, terminal);
  } catch (error) {
    // A reader that has seen enough is no failure.
    if (error instanceof OutputClosedError) return exitCode("ok");
    if (error instanceof OutputFailedError) {
      await terminal.stderr.write(`sluice: ${error.message}\n`);
      return exitCode("failure");
    }
    if (!(error instanceof UsageError)) throw error;
    return complain(error, argv, terminal);
  }
}

async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { stdout, stderr, env } = terminal;
  const [first, ...rest] = argv;
  const width = chooseWidth(stdout, env);
  if (first === undefined) {
    await stderr.write(renderProgramHelp(COMMANDS, width));
    return exitCode("usage");
  }
  if (first === "--version" || first === "-V") {
    await stdout.write(`sluice ${readVersion()}\n`);
    return exitCode("ok");
  }
  if (isHelp(first) || (first === "help" && rest.length === 0)) {
    await stdout.write(renderProgramHelp(COMMANDS, width));
    return exitCode("ok");
  }
  if (first === "help") return dispatch([...rest, "--help"], terminal);
  if (first.startsWith("-")) {
    throw new UsageError(`The command comes first, then its options, but there is ${printable(first)}.`);
  }
  const command = findCommand(first, COMMANDS);
  if (command.kind === "leaf") return runLeaf(command, rest, terminal);
  const [second, ...others] = rest;
  if (second !== undefined && isHelp(second)) {
    await stdout.write(renderCommandHelp(command, width));
    return exitCode("ok");
  }
  if (second === undefined || second.startsWith("-")) {
    const names = command.commands.map(({ name }) => name.split(" ").at(-1));
    throw new UsageError(`\`sluice ${command.name}\` needs one of: ${names.join(", ")}.`);
  }
  return runLeaf(findCommand(`${first} ${second}`, command.commands), others, terminal);
}

async function runLeaf(command: LeafCommand, argv: readonly string[], terminal: Terminal): Promise<number> {
  if (asksForHelp(argv)) {
    const { stdout, env } = terminal;
    await stdout.write(renderCommandHelp(command, chooseWidth(stdout, env)));
    return exitCode("ok");
  }
  return command.run(parseArguments(argv, command.options, command.maxOperandCount), terminal);
}

/** Help is given even when the rest of the line is wrong. */
function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).some(isHelp);
}

function isHelp(word: string): boolean {
  return word === "--help" || word === "-h";
}

function findCommand<C extends Command>(name: string, commands: readonly C[]): C {
  const found = commands.find((command) => command.name === name);
  if (found !== undefined) return found;
  const names = commands.map((command) => command.name);
  const near = findNearName(name, names);
  const hint = near === undefined ? `There are: ${names.join(", ")}.` : `Did you mean ${near}?`;
  throw new UsageError(`There is no command "${printable(name)}". ${hint}`);
}

async function complain(error: UsageError, argv: readonly string[], { stderr }: Terminal): Promise<number> {
  const known = COMMANDS.some(({ name }) => name === argv[0]) ? `sluice ${argv[0]}` : "sluice";
  await stderr.write(`sluice: ${error.message}\n\`${known} --help\` shows what there is.\n`);
  return exitCode("usage");
}
