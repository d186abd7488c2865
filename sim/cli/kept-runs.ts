import { appendFileSync, existsSync, truncateSync } from "node:fs";
import type { Measures } from "../report/measure.ts";
import { asObject, DataError, readNamedFile } from "../world/read-json.ts";
import { type RunResult, type RunTask, replayCommand } from "./run-task.ts";

/**
 * Results of runs in a file, one per line, so that a long benchmark that was broken off
 * goes on where it was. A result is found by the command that repeats its run; the file must go
 * when the code changes, because nothing in it tells of which code it is.
 */
export class KeptRuns {
  readonly #file: string;
  readonly #results = new Map<string, Pick<RunResult, "measures" | "violation">>();

  /** Reads what is there; a last line that a broken-off run left half written is taken away. Throws `DataError`. */
  constructor(file: string) {
    this.#file = file;
    if (!existsSync(file)) return;
    const text = readNamedFile(file, "--keep");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole !== "" && whole.length < text.length) truncateSync(file, Buffer.byteLength(whole));
    for (const [index, line] of (whole === "" ? text : whole).split("\n").entries()) {
      if (line === "") continue;
      const { run, measures, violation } = readLine(line, `${file}:${index + 1}`);
      this.#results.set(run, { measures, violation });
    }
  }

  find(task: RunTask): RunResult | undefined {
    const result = this.#results.get(replayCommand(task));
    return result && { task, ...result };
  }

  keep({ task, measures, violation }: RunResult): void {
    const line: Line = { run: replayCommand(task), measures, violation };
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

interface Line {
  readonly run: string;
  readonly measures: Measures | undefined;
  readonly violation: string | undefined;
}

function readLine(text: string, path: string): Line {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DataError(`${path}: not readable as JSON`);
  }
  if (typeof asObject(value, path).run !== "string") throw new DataError(`${path}.run: must be a text`);
  return value as Line;
}
