/** What was used as lines for the terminal. */

import { durationMs } from "@bufbuild/protobuf/wkt";
import type { UsageRow } from "../../gen/sluice/v1/admin_service_pb.ts";
import type { Usage } from "../../gen/sluice/v1/generation_pb.ts";
import type { Paint } from "./colour.ts";
import { formatCost, formatCount, formatMs, UNKNOWN } from "./number-text.ts";
import { type Column, renderTable } from "./text-table.ts";

/** What a row may stand for. */
export const USAGE_GROUPINGS = ["day", "model", "provider", "deployment"] as const;

export type UsageGrouping = (typeof USAGE_GROUPINGS)[number];

/** The sum of the rows of one group. */
interface UsageSum {
  readonly name: string;
  callCount: bigint;
  succeededCount: bigint;
  failedCount: bigint;
  abandonedCount: bigint;
  inputTokens: bigint | undefined;
  outputTokens: bigint | undefined;
  cost: { costNanoUsd?: bigint; costNanoCny?: bigint };
  succeededMs: number;
}

/** One row per group, in the order in which they come, and a total where there are several. */
export function renderUsage(
  rows: readonly UsageRow[],
  by: UsageGrouping,
  width: number,
  paint: Paint,
): string[] {
  const total = emptySum("total");
  const sums = new Map<string, UsageSum>();
  for (const row of rows) {
    const sum = sums.get(row[by]) ?? emptySum(row[by]);
    sums.set(row[by], sum);
    add(sum, row);
    add(total, row);
  }
  const listed = sums.size > 1 ? [...sums.values(), total] : [...sums.values()];
  return renderTable(makeColumns(by), listed, width, paint);
}

function makeColumns(by: UsageGrouping): readonly Column<UsageSum>[] {
  const count = (heading: string, read: (sum: UsageSum) => bigint | undefined): Column<UsageSum> => ({
    heading,
    align: "right",
    text: (sum) => formatCount(read(sum)),
  });
  return [
    { heading: by.toUpperCase(), text: ({ name }) => name },
    count("CALLS", ({ callCount }) => callCount),
    count("OK", ({ succeededCount }) => succeededCount),
    count("FAILED", ({ failedCount }) => failedCount),
    count("GIVEN UP", ({ abandonedCount }) => abandonedCount),
    count("IN", ({ inputTokens }) => inputTokens),
    count("OUT", ({ outputTokens }) => outputTokens),
    { heading: "COST", align: "right", text: ({ cost }) => formatCost(cost) },
    { heading: "MEAN TIME", align: "right", text: describeMean },
  ];
}

function describeMean({ succeededCount, succeededMs }: UsageSum): string {
  return succeededCount === 0n ? UNKNOWN : formatMs(succeededMs / Number(succeededCount));
}

function emptySum(name: string): UsageSum {
  return {
    name,
    callCount: 0n,
    succeededCount: 0n,
    failedCount: 0n,
    abandonedCount: 0n,
    inputTokens: undefined,
    outputTokens: undefined,
    cost: {},
    succeededMs: 0,
  };
}

function add(sum: UsageSum, row: UsageRow): void {
  sum.callCount += row.callCount;
  sum.succeededCount += row.succeededCount;
  sum.failedCount += row.failedCount;
  sum.abandonedCount += row.abandonedCount;
  sum.succeededMs += row.succeededDuration === undefined ? 0 : durationMs(row.succeededDuration);
  if (row.usage !== undefined) addUsage(sum, row.usage);
}

/** What is unknown adds nothing, and a sum of nothing known stays unknown. */
function addUsage(sum: UsageSum, usage: Usage): void {
  sum.inputTokens = addKnown(sum.inputTokens, usage.inputTokenCount);
  sum.outputTokens = addKnown(sum.outputTokens, usage.outputTokenCount);
  const { costNanoUsd, costNanoCny } = usage;
  if (costNanoUsd !== undefined) sum.cost.costNanoUsd = (sum.cost.costNanoUsd ?? 0n) + costNanoUsd;
  if (costNanoCny !== undefined) sum.cost.costNanoCny = (sum.cost.costNanoCny ?? 0n) + costNanoCny;
}

function addKnown(sum: bigint | undefined, more: bigint | undefined): bigint | undefined {
  return more === undefined ? sum : (sum ?? 0n) + more;
}
