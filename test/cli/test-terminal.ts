import { Readable } from "node:stream";
import { type Output, OutputClosedError, type Terminal } from "../../src/cli/terminal.ts";
import type { Cleanup } from "../../src/domain/ports.ts";
import { systemClock } from "../../src/lib/clock.ts";

/** What a test may set. */
export interface TestTerminalOptions {
  readonly stdin?: string | Uint8Array;
  readonly isTty?: boolean;
  readonly columnCount?: number;
  readonly rowCount?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard output closes after so many writes, as behind `| head`. */
  readonly closeAfterWriteCount?: number;
  /** Called after each write to standard output, with all that is there. */
  readonly onOutput?: (text: string, terminal: TestTerminal) => void;
}

/** A terminal that keeps what is printed and can press Ctrl-C. */
export class TestTerminal implements Terminal {
  readonly clock = systemClock;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Terminal["stdin"];
  readonly stdout: Output;
  readonly stderr: Output;
  /** The pieces written to standard output, in order. */
  readonly writes: string[] = [];
  #err = "";
  readonly #interruptions = new Set<() => void>();

  constructor(options: TestTerminalOptions = {}) {
    const { stdin = "", isTty = false, columnCount = 0, rowCount = 0 } = options;
    this.env = options.env ?? {};
    const input = Readable.from(stdin.length === 0 ? [] : [Buffer.from(stdin)]);
    this.stdin = { isTty: false, [Symbol.asyncIterator]: () => input[Symbol.asyncIterator]() };
    const size = { isTty, columnCount, rowCount };
    this.stdout = {
      ...size,
      write: async (text) => {
        if (this.writes.length >= (options.closeAfterWriteCount ?? Number.POSITIVE_INFINITY)) {
          throw new OutputClosedError("output closed");
        }
        this.writes.push(text);
        options.onOutput?.(this.out, this);
      },
    };
    this.stderr = {
      ...size,
      write: async (text) => {
        this.#err += text;
      },
    };
  }

  /** All of standard output. */
  get out(): string {
    return this.writes.join("");
  }

  /** All of standard error. */
  get err(): string {
    return this.#err;
  }

  /** How many listen for Ctrl-C: 0 when the command has cleaned up. */
  get listenerCount(): number {
    return this.#interruptions.size;
  }

  onInterrupt(fn: () => void): Cleanup {
    this.#interruptions.add(fn);
    return () => this.#interruptions.delete(fn);
  }

  /** Presses Ctrl-C. */
  interrupt(): void {
    for (const fn of this.#interruptions) fn();
  }
}
