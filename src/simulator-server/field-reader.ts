/** Reads members of untrusted JSON. What is wrong is a BadField, caught where the reading began. */

import { isRecord } from "../lib/is-record.ts";

/** A field that is not as it must be; never leaves this room. */
export class BadField extends Error {
  override readonly name = "BadField";
}

type JsonObject = Readonly<Record<string, unknown>>;

/** An object at `path`. */
export function readObject(value: unknown, path: string): JsonObject {
  if (!isRecord(value)) throw new BadField(`${path} is no object; right would be {…}`);
  return value;
}

/** A list at `path`; absent gives an empty one. */
export function readList(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new BadField(`${path} is no list; right would be […]`);
  return value;
}

/** Text at `path` that must be there. */
export function readText(value: unknown, path: string): string {
  if (typeof value !== "string") throw new BadField(`${path} is missing or no text; right would be text`);
  return value;
}

/** A whole number of 1 or more, or absent. */
export function readCount(value: unknown, path: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1) {
    throw new BadField(`${path} is no whole number of 1 or more`);
  }
  return value;
}

/** `true` or `false`; absent gives `byDefault`. */
export function readFlag(value: unknown, path: string, byDefault: boolean): boolean {
  if (value === undefined || value === null) return byDefault;
  if (typeof value !== "boolean") throw new BadField(`${path} is neither true nor false`);
  return value;
}

/** One text or a list of texts; absent gives none. */
export function readTexts(value: unknown, path: string): readonly string[] {
  if (typeof value === "string") return [value];
  return readList(value, path).map((each, index) => readText(each, `${path}[${index}]`));
}
