import type { NumberRange } from "../../domain/parameter-rules.ts";
import { type Parsed, readAs, refuse } from "./parsed.ts";

/** What a right range would be, in words. */
export const RANGE_RIGHT = "a range such as 0..1, or none where it is not taken";

/** How ranges are written, for the JSON Schema. */
export const RANGE_PATTERN = "^(?:none|\\d+(?:\\.\\d+)?\\.\\.\\d+(?:\\.\\d+)?)$";

/** Reads `0.01..1`; `none` is null. */
export function parseNumberRange(text: string): Parsed<NumberRange | null> {
  if (!new RegExp(RANGE_PATTERN).test(text)) return refuse("is no range", RANGE_RIGHT);
  if (text === "none") return readAs(null);
  const [, min, max] = /^(\d+(?:\.\d+)?)\.\.(.*)$/.exec(text) ?? [];
  const range = { min: Number(min), max: Number(max) };
  return range.min <= range.max ? readAs(range) : refuse("ends before it begins", RANGE_RIGHT);
}
