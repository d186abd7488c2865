/** Numbers as people read them. What is unknown is a dash, never a zero. */

import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";
import type { Usage } from "../../gen/sluice/v1/generation_pb.ts";

/** Stands for a value that is not known. */
export const UNKNOWN = "-";

const NANO_USD_PER_USD = 1_000_000_000n;
const THOUSAND = 1_000;
const MILLION = 1_000_000;

/** A count, shortened from 10,000 on: `9999`, `12.3k`, `4.57M`. */
export function formatCount(count: bigint | number | undefined): string {
  if (count === undefined) return UNKNOWN;
  const value = Number(count);
  if (value < 10 * THOUSAND) return String(value);
  if (value < 999_950) return `${(value / THOUSAND).toFixed(1)}k`;
  return `${(value / MILLION).toFixed(2)}M`;
}

/** A length of time: `850ms`, `1.25s`, `12.3s`, `3m05s`, `2h05m`. */
export function formatDuration(duration: Duration | undefined): string {
  return duration === undefined ? UNKNOWN : formatMs(durationMs(duration));
}

/** As `formatDuration`, from milliseconds. */
export function formatMs(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)}ms`;
  if (ms < 9_995) return `${(ms / 1_000).toFixed(2)}s`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m${pad(seconds % 60)}s`;
  return `${Math.floor(seconds / 3_600)}h${pad(Math.floor(seconds / 60) % 60)}m`;
}

/** Billionths of a US dollar as dollars: exact, at least two decimals, no needless ones. */
export function formatNanoUsd(nanoUsd: bigint | undefined): string {
  return nanoUsd === undefined ? UNKNOWN : formatNanoOf("USD", nanoUsd);
}

/** What was used, in each currency that it cost. */
export function formatCost(usage: Pick<Usage, "costNanoUsd" | "costNanoCny"> | undefined): string {
  if (usage?.costNanoCny === undefined) return formatNanoUsd(usage?.costNanoUsd);
  const yuan = formatNanoOf("CNY", usage.costNanoCny);
  return usage.costNanoUsd === undefined ? yuan : `${formatNanoUsd(usage.costNanoUsd)} + ${yuan}`;
}

/** Billionths of a currency's unit, as `formatNanoUsd`. `code` is by ISO 4217. */
export function formatNanoOf(code: string, nano: bigint): string {
  return formatNano(nano, SYMBOLS.get(code) ?? `${code} `);
}

const SYMBOLS: ReadonlyMap<string, string> = new Map([
  ["USD", "$"],
  ["CNY", "CN¥"],
]);

function formatNano(nanoUsd: bigint, symbol: string): string {
  const sign = nanoUsd < 0n ? "-" : "";
  const magnitude = nanoUsd < 0n ? -nanoUsd : nanoUsd;
  const fraction = (magnitude % NANO_USD_PER_USD)
    .toString()
    .padStart(9, "0")
    .replace(/0+$/, "")
    .padEnd(2, "0");
  return `${sign}${symbol}${magnitude / NANO_USD_PER_USD}.${fraction}`;
}

/** A share of 0 to 1 as percent, never rounded up to 100 %. */
export function formatRatio(ratio: number | undefined): string {
  if (ratio === undefined) return UNKNOWN;
  const percent = ratio < 1 ? Math.min(ratio * 100, 99.9) : 100;
  return `${percent.toFixed(percent === 100 || percent === 0 ? 0 : 1)}%`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
