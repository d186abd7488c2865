import { availableParallelism, loadavg } from "node:os";
import { DIALECT_NAMES } from "./canned-answer.ts";
import type { MatrixResult } from "./fault-matrix.ts";
import type { CellResult } from "./run-faults.ts";

/** A matrix in words. */
export interface MatrixReport {
  /** Markdown. */
  readonly text: string;
  /** Whether every cell came out as it has to. Times are told, not judged. */
  readonly isGood: boolean;
}

/** Makes a table with a row per fault and moment, and the sums below it. */
export function reportMatrix({ results, problems }: MatrixResult, tookMs: number): MatrixReport {
  const rows = Map.groupBy(results, ({ cell }) => `${cell.fault.name} · ${cell.moment.replaceAll("_", " ")}`);
  const table = [
    `| Fault · moment | ${DIALECT_NAMES.join(" | ")} |`,
    `| --- |${" --- |".repeat(DIALECT_NAMES.length)}`,
    ...[...rows].map(
      ([name, row]) => `| ${name} | ${DIALECT_NAMES.map((dialect) => sum(row, dialect)).join(" | ")} |`,
    ),
  ];
  const failed = results.filter((result) => result.problems.length > 0);
  const deadlines = results.flatMap(({ afterDeadlineMs }) => afterDeadlineMs ?? []);
  const releases = results.flatMap(({ releaseMs }) => releaseMs ?? []);
  return {
    text: [
      ...table,
      "",
      `${results.length} cells ran in ${(tookMs / 1_000).toFixed(0)} s; ${results.length - failed.length} came out as expected, ${failed.length} did not. Node ${process.versions.node}, ${availableParallelism()} cores, load average ${loadavg()[0]?.toFixed(1)} at the end.`,
      `End told after the caller's deadline: ${describeTimes(deadlines)}.`,
      `Connection to the model server closed after the end was told: ${describeTimes(releases)}.`,
      ...failed.flatMap(({ cell, problems: found }) =>
        found.map((problem) => `FAILED ${cell.id}: ${problem}`),
      ),
      ...problems.map((problem) => `FAILED ${problem}`),
    ].join("\n"),
    isGood: failed.length === 0 && problems.length === 0,
  };
}

function sum(row: readonly CellResult[], dialect: string): string {
  const mine = row.filter(({ cell }) => cell.dialect === dialect);
  const goodCount = mine.filter(({ problems }) => problems.length === 0).length;
  if (mine.length === 0) return "–";
  return goodCount === mine.length ? `${goodCount}` : `**${goodCount} of ${mine.length}**`;
}

function describeTimes(times: readonly number[]): string {
  if (times.length === 0) return "not measured";
  const sorted = times.toSorted((one, other) => one - other);
  const at = (ratio: number) =>
    sorted[Math.min(sorted.length - 1, Math.ceil(ratio * sorted.length) - 1)] ?? 0;
  return `p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms, max ${at(1).toFixed(1)} ms of ${sorted.length}`;
}
