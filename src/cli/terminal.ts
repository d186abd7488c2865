/** The program's surroundings, as arguments, so that tests can stand in for them. */

import type { Cleanup, Clock } from "../domain/ports.ts";

/** Whoever read our output has left (`| head`). Ends the program quietly. */
export class OutputClosedError extends Error {
  override readonly name = "OutputClosedError";
}

/** The output cannot be written, for example because a disk is full. Ends the program with a plain message. */
export class OutputFailedError extends Error {
  override readonly name = "OutputFailedError";
}

/** Where text goes. */
export interface Output {
  readonly isTty: boolean;
  /** The width in columns, 0 when there is none. May change. */
  readonly columnCount: number;
  /** The height in lines, 0 when there is none. May change. */
  readonly rowCount: number;
  /** Resolves when the text is handed on, so that awaiting it is back-pressure. Rejects with OutputClosedError. */
  write(text: string): Promise<void>;
}

/** Where text comes from. */
export interface Input extends AsyncIterable<Uint8Array> {
  readonly isTty: boolean;
}

/** Everything a command may touch beside the network and the files it is told to read. */
export interface Terminal {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Calls `fn` at the first Ctrl-C; the next one kills the program. */
  onInterrupt(fn: () => void): Cleanup;
}

/** A finished surrounding for tests and for `process`: the parts that Node's streams have. */
export interface WritableLike {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string, done: (error?: Error | null) => void): boolean;
}

/** Makes an Output of one of Node's streams. */
export function wrapOutput(stream: WritableLike): Output {
  return {
    get isTty() {
      return stream.isTTY === true;
    },
    get columnCount() {
      return stream.columns ?? 0;
    },
    get rowCount() {
      return stream.rows ?? 0;
    },
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => {
          if (!error) resolve();
          else if (isClosed(error)) reject(new OutputClosedError("output closed", { cause: error }));
          else
            reject(new OutputFailedError(`the output cannot be written: ${error.message}`, { cause: error }));
        });
      }),
  };
}

const CLOSED_CODES = new Set(["EPIPE", "ERR_STREAM_DESTROYED", "ERR_STREAM_WRITE_AFTER_END"]);

function isClosed(error: Error): boolean {
  return "code" in error && typeof error.code === "string" && CLOSED_CODES.has(error.code);
}

/** The narrowest table we lay out; below it lines wrap. */
const MIN_WIDTH = 40;
/** What is assumed where nothing tells the width. */
const DEFAULT_WIDTH = 80;

/** How many columns tables may use: the terminal's, else COLUMNS, else 80. */
export function chooseWidth(output: Output, env: Terminal["env"]): number {
  const told = output.columnCount || Number.parseInt(env.COLUMNS ?? "", 10);
  return Number.isInteger(told) && told > 0 ? Math.max(told, MIN_WIDTH) : DEFAULT_WIDTH;
}
