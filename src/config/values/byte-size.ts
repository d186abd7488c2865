import { parseDecimal, scaleToWhole } from "./decimal.ts";
import { type Parsed, readAs, refuse } from "./parsed.ts";

const UNITS_BYTES = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 } as const;
const BYTE_SIZE = /^(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB)?$/;

/** What a size written as text looks like, for JSON Schema. */
export const BYTE_SIZE_PATTERN = "^[0-9]+(\\.[0-9]+)? ?(B|KiB|MiB|GiB)?$";

/** Reads a size such as `16MiB`, `512 B` or `1024` (bytes), from `minBytes` to `maxBytes`. */
export function parseByteSize(text: string, minBytes: number, maxBytes: number): Parsed<number> {
  const right = describeByteSizes(minBytes, maxBytes);
  const match = BYTE_SIZE.exec(text);
  const decimal = match?.[1] === undefined ? undefined : parseDecimal(match[1]);
  if (decimal === undefined) return refuse("is not a size", right);
  const unit = (match?.[2] ?? "B") as keyof typeof UNITS_BYTES;
  const sizeBytes = scaleToWhole(decimal, UNITS_BYTES[unit], maxBytes);
  if (sizeBytes === "fraction") return refuse("has a part of a byte", right);
  if (typeof sizeBytes !== "number") return refuse("is too large", right);
  if (sizeBytes < minBytes) return refuse("is too small", right);
  return readAs(sizeBytes);
}

/** What a right size would be, in words. */
export function describeByteSizes(minBytes: number, maxBytes: number): string {
  return `a number of bytes or a size in KiB, MiB or GiB, from ${formatByteSize(minBytes)} to ${formatByteSize(maxBytes)}`;
}

/** Writes whole bytes as the shortest text that `parseByteSize` reads back as the same. */
export function formatByteSize(sizeBytes: number): string {
  for (const unit of ["GiB", "MiB", "KiB"] as const) {
    if (sizeBytes >= UNITS_BYTES[unit] && sizeBytes % UNITS_BYTES[unit] === 0) {
      return `${sizeBytes / UNITS_BYTES[unit]}${unit}`;
    }
  }
  return `${sizeBytes}B`;
}
