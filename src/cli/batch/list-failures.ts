import { open } from "node:fs/promises";
import { readFileLines } from "../../lib/file-lines.ts";
import { printable } from "../printable-text.ts";
import { MAX_RESULT_BYTES, readResult } from "./batch-journal.ts";
import type { BatchResult } from "./batch-result.ts";

/** The failed lines of a batch's output or journal, in the order of the input. Rejects with a system error when it cannot be read. */
export async function listFailures(path: string): Promise<readonly BatchResult[]> {
  const failed = new Map<number, BatchResult>();
  const file = await open(path);
  try {
    for await (const { text } of readFileLines(file, MAX_RESULT_BYTES)) {
      const result = text === undefined ? undefined : readResult(text);
      if (result === undefined) continue;
      // Of a journal the last word on a line counts.
      if (result.error === null) failed.delete(result.line);
      else failed.set(result.line, result);
    }
  } finally {
    await file.close();
  }
  return [...failed.values()].toSorted((a, b) => a.line - b.line);
}

/** One failed line in words, for people and for grep. */
export function describeFailedLine({ line, custom_id, error }: BatchResult): string {
  const id = custom_id === null ? "" : ` (${printable(custom_id)})`;
  const later = error?.may_succeed_later === true ? "; may succeed later" : "";
  return `line ${line}${id}: ${error?.code}: ${printable(error?.message ?? "")}${later}`;
}
