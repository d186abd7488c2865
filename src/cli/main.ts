/** Connects the program with the process it runs in. */

import { systemClock } from "../lib/clock.ts";
import { exitCode } from "./exit-code.ts";
import { runCommandLine } from "./run-command-line.ts";
import { type Terminal, wrapOutput } from "./terminal.ts";

/** Runs the command line of this process to its end and sets the exit code. */
export async function main(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    // A closed pipe is reported to whoever writes; without a listener Node would print a stack as well.
    stream.on("error", () => {});
  }
  try {
    process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal);
  } catch (error) {
    process.stderr.write(`sluice: a bug: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = exitCode("bug");
  }
}

const processTerminal: Terminal = {
  get stdin() {
    const { stdin } = process;
    return { isTty: stdin.isTTY === true, [Symbol.asyncIterator]: () => stdin[Symbol.asyncIterator]() };
  },
  stdout: wrapOutput(process.stdout),
  stderr: wrapOutput(process.stderr),
  env: process.env,
  clock: systemClock,
  onInterrupt(fn) {
    process.once("SIGINT", fn);
    return () => process.off("SIGINT", fn);
  },
};
