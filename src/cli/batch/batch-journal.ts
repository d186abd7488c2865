import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { readFileLines } from "../../lib/file-lines.ts";
import { isRecord } from "../../lib/is-record.ts";
import { printable } from "../printable-text.ts";
import { UsageError } from "../usage-error.ts";
import type { BatchResult } from "./batch-result.ts";

/** What a result left for a resumed batch to know. */
export interface DoneLine {
  readonly input: string;
  readonly isFailed: boolean;
  /** Whether it should be asked again. */
  readonly isOpen: boolean;
}

interface Place {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

const NEWLINE = 0x0a;
const COPY_BYTES = 64 * 1024;
/** Far above the longest answer that a server gives. */
export const MAX_RESULT_BYTES = 256 * 1024 * 1024;

/**
 * The results of a batch under way, in the order in which they came: one JSON object a
 * line, in a file beside the output. A process that is killed leaves at most its last
 * line torn; that line is cut off when the file is opened again.
 */
export class BatchJournal {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #places = new Map<number, Place>();
  readonly #done = new Map<number, DoneLine>();
  #endBytes = 0;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** Opens a journal, with what is already in it; readable by its owner only, as it holds answers. */
  static async open(path: string): Promise<BatchJournal> {
    const file = await open(path, "a+", 0o600);
    const journal = new BatchJournal(file, path);
    await journal.#readAll();
    return journal;
  }

  /** What is known of a line of the input. */
  find(line: number): DoneLine | undefined {
    return this.#done.get(line);
  }

  /** The numbers of the lines that have a result. */
  lines(): Iterable<number> {
    return this.#done.keys();
  }

  /** Adds a result; a later one of the same line replaces it. Resolves when the system has it. */
  add(result: BatchResult): Promise<void> {
    const bytes = Buffer.from(`${JSON.stringify(result)}\n`);
    const place = { offsetBytes: this.#endBytes, lengthBytes: bytes.length };
    this.#endBytes += bytes.length;
    this.#writing = this.#writing.then(async () => {
      await this.#checkAlone(place.offsetBytes);
      await this.#file.appendFile(bytes);
      this.#remember(result, place);
    });
    return this.#writing;
  }

  /** Writes the results in the order of the input to `output`, whole or not at all, and removes the journal. */
  async finish(output: string): Promise<void> {
    await this.#writing;
    await this.#checkAlone(this.#endBytes);
    const draft = `${output}.writing`;
    const target = await open(draft, "w", 0o600);
    try {
      for (const [, place] of [...this.#places].toSorted(([a], [b]) => a - b)) {
        const bytes = Buffer.alloc(place.lengthBytes);
        await this.#file.read(bytes, 0, place.lengthBytes, place.offsetBytes);
        await target.appendFile(bytes);
      }
      await target.sync();
    } finally {
      await target.close();
    }
    await rename(draft, output);
    await this.close();
    await rm(this.#path);
  }

  /** Closes the file and leaves it for a resumed batch. */
  async close(): Promise<void> {
    await this.#writing.finally(() => this.#file.close());
  }

  /** Where results stand is known only as long as nobody else writes: two batches with one output would lose some. */
  async #checkAlone(sizeBytes: number): Promise<void> {
    const { size } = await this.#file.stat();
    if (size === sizeBytes) return;
    throw new UsageError(
      `Another program writes to "${printable(this.#path)}" too. Let one end, then go on with --resume.`,
    );
  }

  async #readAll(): Promise<void> {
    await this.#cutTornLine();
    for await (const { text, offsetBytes, lengthBytes } of readFileLines(this.#file, MAX_RESULT_BYTES)) {
      const result = text === undefined ? undefined : readResult(text);
      if (result !== undefined) this.#remember(result, { offsetBytes, lengthBytes });
      this.#endBytes = offsetBytes + lengthBytes;
    }
  }

  async #cutTornLine(): Promise<void> {
    const { size } = await this.#file.stat();
    const bytes = Buffer.alloc(COPY_BYTES);
    for (let endBytes = size; endBytes > 0; ) {
      const startBytes = Math.max(endBytes - COPY_BYTES, 0);
      await this.#file.read(bytes, 0, endBytes - startBytes, startBytes);
      const newline = bytes.subarray(0, endBytes - startBytes).lastIndexOf(NEWLINE);
      if (newline >= 0) return this.#file.truncate(startBytes + newline + 1);
      endBytes = startBytes;
    }
    await this.#file.truncate(0);
  }

  #remember(result: BatchResult, place: Place): void {
    const isOpen = result.error?.may_succeed_later === true;
    this.#places.set(result.line, place);
    this.#done.set(result.line, { input: result.input, isFailed: result.error !== null, isOpen });
  }
}

/** A line of ours; anything else in the file is passed over. */
export function readResult(line: string): BatchResult | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isOurs = isRecord(value) && Number.isInteger(value.line) && typeof value.input === "string";
    return isOurs ? (value as unknown as BatchResult) : undefined;
  } catch {
    return undefined;
  }
}
