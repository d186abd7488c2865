import { type Results, type Sample, toCell } from "../../../bench/side-by-side/sample.ts";

const ZERO: Sample = {
  cpuUsPerRequest: 0,
  requestsPerSecond: 0,
  tokensPerSecond: 0,
  cpuRatio: 1,
  disturbedRatio: 0,
  latencyP50Us: 0,
  latencyP99Us: 0,
  tokenP50Us: 0,
  tokenP99Us: 0,
  idleRssMib: 0,
  peakRssMib: 0,
  afterRssMib: 0,
  startMs: 0,
  errorCount: 0,
};

/** Results with one sample per cell; members that are left out are 0, and the core is busy. */
export function buildResults(
  table: Readonly<Record<string, Readonly<Record<string, Partial<Sample>>>>>,
): Results {
  const rows = Object.entries(table).map(([measure, cells]) => {
    const merged = Object.entries(cells).map(
      ([name, sample]) => [name, toCell([{ ...ZERO, ...sample }], [])] as const,
    );
    return [measure, new Map(merged)] as const;
  });
  return new Map(rows);
}
