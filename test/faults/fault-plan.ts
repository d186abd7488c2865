/** Which cells the matrix has: dialect × fault × moment × way in. */

import { CANNED_DIALECTS, DIALECT_NAMES, type DialectName } from "./canned-answer.ts";
import { CODING_FAULTS } from "./catalogue/coding-faults.ts";
import { CONNECTION_FAULTS } from "./catalogue/connection-faults.ts";
import { DIALING_FAULTS } from "./catalogue/dialing-faults.ts";
import { FRAME_FAULTS } from "./catalogue/frame-faults.ts";
import { HEAD_FAULTS } from "./catalogue/head-faults.ts";
import { STATUS_FAULTS } from "./catalogue/status-faults.ts";
import type { Fault, Moment, Verdict } from "./fault.ts";

/** The whole catalogue. */
export const FAULTS: readonly Fault[] = [
  ...DIALING_FAULTS,
  ...CONNECTION_FAULTS,
  ...HEAD_FAULTS,
  ...STATUS_FAULTS,
  ...CODING_FAULTS,
  ...FRAME_FAULTS,
];

/** How a request comes in. */
export interface Entry {
  readonly name: string;
  readonly door: "grpc" | "openai";
  readonly streams: boolean;
  /** Whether a sound deployment stands behind the faulty one. */
  readonly isBacked: boolean;
  /** Whether the caller's deadline comes before every limit; only for faults that nothing else ends. */
  readonly hasShortDeadline: boolean;
}

function entry(name: string, door: Entry["door"], streams: boolean, more: Partial<Entry> = {}): Entry {
  return { name, door, streams, isBacked: false, hasShortDeadline: false, ...more };
}

/** Every way in. */
export const ENTRIES: readonly Entry[] = [
  entry("grpc-unary", "grpc", false),
  entry("grpc-stream", "grpc", true),
  entry("openai-unary", "openai", false),
  entry("openai-stream", "openai", true),
  entry("backed-unary", "grpc", false, { isBacked: true }),
  entry("backed-stream", "grpc", true, { isBacked: true }),
  entry("deadline-unary", "grpc", false, { hasShortDeadline: true }),
  entry("deadline-stream", "grpc", true, { hasShortDeadline: true }),
];

/** One request of the matrix. */
export interface Cell {
  /** `<dialect>.<fault>.<moment>.<entry>`. */
  readonly id: string;
  /** Its place in the list that it came from. */
  readonly number: number;
  readonly dialect: DialectName;
  readonly fault: Fault;
  readonly moment: Moment;
  readonly entry: Entry;
  /** What has to become of the attempt at the faulty deployment. */
  readonly verdict: Verdict;
}

/** The cells of these dialects that `wants` wants, numbered from 0. */
export function listCells(
  dialects: readonly DialectName[] = DIALECT_NAMES,
  wants: (cell: Omit<Cell, "number">) => boolean = () => true,
): readonly Cell[] {
  const cells: Cell[] = [];
  for (const dialect of dialects) {
    const canned = CANNED_DIALECTS[dialect];
    for (const fault of FAULTS) {
      if (fault.appliesTo?.(canned) === false) continue;
      for (const moment of fault.moments) {
        const verdict = fault.expect(moment, canned);
        for (const entry of ENTRIES) {
          if (entry.hasShortDeadline && !(verdict.kind === "failure" && verdict.isStall)) continue;
          const id = [dialect, fault.name, moment, entry.name].join(".");
          const cell = { id, dialect, fault, moment, entry, verdict };
          if (wants(cell)) cells.push({ ...cell, number: cells.length });
        }
      }
    }
  }
  return cells;
}
