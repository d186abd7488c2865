/** Reads fields of data files; what is wrong is told by the field's path. */

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { isRecord } from "../../src/lib/is-record.ts";

/** A data file or option that cannot be used. The message names file and field, what was wrong and what is right. */
export class DataError extends Error {}

/** The object in a JSON file. */
export function readJsonObject(file: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new DataError(
      `${file}: not readable as JSON: ${error instanceof Error ? error.message : "unknown"}`,
    );
  }
  return asObject(value, file);
}

export function asObject(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw new DataError(`${path}: must be an object`);
  return value;
}

export function asList(value: unknown, path: string): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new DataError(`${path}: must be a list`);
  return value;
}

export function asText(value: unknown, path: string): string {
  if (typeof value !== "string" || value === "")
    throw new DataError(`${path}: must be a text that is not empty`);
  return value;
}

/** A number in the range; `fallback` where it is absent. */
export function asNumber(value: unknown, path: string, min: number, max: number, fallback?: number): number {
  if (value === undefined && fallback !== undefined) return fallback;
  if (typeof value !== "number" || !(value >= min && value <= max)) {
    throw new DataError(`${path}: must be a number from ${min} to ${max}`);
  }
  return value;
}

export function asFlag(value: unknown, path: string): boolean {
  if (value !== undefined && typeof value !== "boolean")
    throw new DataError(`${path}: must be true or false`);
  return value === true;
}

/** The text of a file, unpacked if it is a gzip; `option` is what it was named by. Throws `DataError`. */
export function readNamedFile(file: string, option: string): string {
  try {
    const bytes = readFileSync(file);
    return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString("utf8");
  } catch (error) {
    throw new DataError(`${option}: cannot be read: ${error instanceof Error ? error.message : "unknown"}`);
  }
}

/** The rows of a CSV below its header, as cells, with the line each stands in. Throws `DataError`. */
export function readRows(
  text: string,
  file: string,
): readonly { readonly cells: readonly string[]; readonly place: string }[] {
  const lines = text.split(/\r?\n/).map((line) => line.split(",").map((cell) => cell.trim()));
  if (lines[0]?.some((cell) => cell !== "" && Number.isFinite(Number(cell)))) {
    throw new DataError(`${file}:1: must be a header that names the columns, not a row`);
  }
  return lines
    .map((cells, index) => ({ cells, place: `${file}:${index + 1}` }))
    .slice(1)
    .filter(({ cells }) => cells.some((cell) => cell !== ""));
}

/** Refuses fields that nobody reads: a misspelt one must not pass silently. */
export function refuseUnknown(
  object: Readonly<Record<string, unknown>>,
  known: readonly string[],
  path: string,
): void {
  for (const name of Object.keys(object)) {
    if (!known.includes(name)) throw new DataError(`${path}.${name}: unknown; one of ${known.join(", ")}`);
  }
}
