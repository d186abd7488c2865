import * as z from "zod";

import { BYTE_SIZE_PATTERN, describeByteSizes, formatByteSize, parseByteSize } from "../values/byte-size.ts";
import {
  DURATION_PATTERN,
  describeDurations,
  describeDurationsOrSeconds,
  formatDuration,
  parseDuration,
  parseDurationOrSeconds,
  SECONDS_PATTERN,
} from "../values/duration.ts";
import type { Parsed } from "../values/parsed.ts";
import { LIST_PRICE_RIGHT, PRICE_RIGHT, parseListPrice, parseUsdPrice } from "../values/usd-price.ts";

const DESCRIPTION_RIGHT = "text of one line, at most 500 characters";

/** What every field says of itself; it ends up in the JSON Schema and in docs/configuration.md. */
export interface FieldMeta {
  readonly description: string;
  readonly examples?: readonly (string | number)[];
}

/**
 * Reports what a parser found wrong, as an issue that `listSchemaProblems` turns into
 * a problem. The message of every issue in this folder says what would be right.
 */
export function useParsed<T>(
  parsed: Parsed<T>,
  context: { readonly issues: z.core.$ZodRawIssue[] },
  input: unknown,
): T {
  if (parsed.ok) return parsed.value;
  context.issues.push({ code: "custom", input, message: parsed.right, params: { wrong: parsed.wrong } });
  return z.NEVER;
}

/** Text that a parser turns into a value. */
export function parsedText<T>(right: string, parse: (text: string) => Parsed<T>) {
  return z.string({ error: right }).transform((text, context) => useParsed(parse(text), context, text));
}

/** Text of one line, 1 to `maxChars` characters, that fits a pattern. */
export function line(right: string, pattern: RegExp) {
  return z.string({ error: right }).regex(pattern, { error: right });
}

/** A few words of one line about what the file defines. */
export function descriptionText() {
  return (
    z
      .string({ error: DESCRIPTION_RIGHT })
      .max(500, { error: DESCRIPTION_RIGHT })
      // Not a pattern of the JSON Schema: not every checker knows \p.
      .refine((text) => !/\p{Cc}/u.test(text), {
        error: DESCRIPTION_RIGHT,
        params: { wrong: "does not fit" },
      })
      .default("")
      .meta({ title: "text", description: "What it is for, in a few words." })
  );
}

/** A path of a file. */
export function filePath(meta: FieldMeta) {
  const right = "the path of a file";
  return line(right, /^[^\0\r\n]{1,4096}$/).meta({ title: "path", ...editable(meta) });
}

/** A length of time, in whole milliseconds once read. */
export function duration(limits: { minMs: number; maxMs: number; defaultMs: number }, meta: FieldMeta) {
  return plainDuration(limits, meta).prefault(formatDuration(limits.defaultMs));
}

/** A length of time without a default, in whole milliseconds once read. */
export function plainDuration(limits: { minMs: number; maxMs: number }, meta: FieldMeta) {
  const right = describeDurations(limits.minMs, limits.maxMs);
  return parsedText(right, (text) => parseDuration(text, limits.minMs, limits.maxMs)).meta({
    title: "duration",
    pattern: DURATION_PATTERN,
    examples: ["250ms", "30s", "2m"],
    ...editable(meta),
  });
}

/** A length of time without a default, or a bare number of seconds; in whole milliseconds once read. */
export function durationOrSeconds(limits: { minMs: number; maxMs: number }, meta: FieldMeta) {
  const right = describeDurationsOrSeconds(limits.minMs, limits.maxMs);
  return z
    .union([z.string().meta({ pattern: SECONDS_PATTERN }), z.number()], { error: right })
    .transform((time, context) =>
      useParsed(parseDurationOrSeconds(String(time), limits.minMs, limits.maxMs), context, time),
    )
    .meta({ title: "duration or seconds", examples: ["30s", 30], ...editable(meta) });
}

/** A size, in bytes once read. */
export function byteSize(
  limits: { minBytes: number; maxBytes: number; defaultBytes: number },
  meta: FieldMeta,
) {
  const right = describeByteSizes(limits.minBytes, limits.maxBytes);
  return z
    .union([z.string().regex(new RegExp(BYTE_SIZE_PATTERN)), z.number()], { error: right })
    .transform((size, context) =>
      useParsed(parseByteSize(String(size), limits.minBytes, limits.maxBytes), context, size),
    )
    .prefault(formatByteSize(limits.defaultBytes))
    .meta({ title: "size", examples: ["16MiB", "16KiB", 65_536], ...editable(meta) });
}

/** A price in USD, in whole nano-USD once read. */
export function usdPrice(meta: FieldMeta) {
  return z
    .union([z.number(), z.string()], { error: PRICE_RIGHT })
    .transform((price, context) => useParsed(parseUsdPrice(String(price)), context, price))
    .meta({ title: "decimal", examples: [0.07, "2.2"], ...editable(meta) });
}

/** A price in the currency of its list, in whole billionths once read. */
export function listPrice(meta: FieldMeta) {
  return z
    .union([z.number(), z.string()], { error: LIST_PRICE_RIGHT })
    .transform((price, context) => useParsed(parseListPrice(String(price)), context, price))
    .meta({ title: "decimal", examples: [0.5, "2.2"], ...editable(meta) });
}

/** A whole number. */
export function wholeNumber(limits: { min: number; max: number }, meta: FieldMeta) {
  const right = `a whole number from ${limits.min} to ${limits.max}`;
  return z
    .int({ error: right })
    .min(limits.min, { error: right })
    .max(limits.max, { error: right })
    .meta({ title: "whole number", ...editable(meta) });
}

/** A number. */
export function decimalNumber(limits: { min: number; max: number }, meta: FieldMeta) {
  const right = `a number from ${limits.min} to ${limits.max}`;
  return z
    .number({ error: right })
    .min(limits.min, { error: right })
    .max(limits.max, { error: right })
    .meta({ title: "number", ...editable(meta) });
}

/** `true` or `false`. */
export function flag(byDefault: boolean, meta: FieldMeta) {
  return z
    .boolean({ error: "true or false" })
    .default(byDefault)
    .meta({ title: "true or false", ...editable(meta) });
}

/** `true` or `false`, or nothing. */
export function optionalFlag(meta: FieldMeta) {
  return z
    .boolean({ error: "true or false" })
    .optional()
    .meta({ title: "true or false", ...editable(meta) });
}

/** A map with fixed keys. Problems of unknown keys are worded by `listSchemaProblems`. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: "a map (key: value)" });
}

/**
 * A rule between the fields of a section. It is tried even where other fields are
 * wrong, so that all problems come at once, but not where one of its own is.
 */
export function relation(
  fields: readonly string[],
  holds: (values: Readonly<Record<string, unknown>>) => boolean,
  wrong: string,
  right: string,
) {
  const [at = ""] = fields;
  return z.refine<unknown>((value) => holds(value as Readonly<Record<string, unknown>>), {
    path: [at],
    error: right,
    params: { wrong },
    when: ({ value, issues }) =>
      typeof value === "object" &&
      value !== null &&
      !issues.some((issue) => fields.includes(String(issue.path?.[0]))),
  });
}

/** The rule that of two fields at most one is given. */
export function onlyOneOf(field: string, other: string) {
  return relation(
    [field, other],
    (values) => values[field] === undefined || values[other] === undefined,
    `is given beside ${other}`,
    "only one of the two",
  );
}

/** Whether one number is at most another; true where either is none. */
export function isAtMost(value: unknown, limit: unknown): boolean {
  return typeof value !== "number" || typeof limit !== "number" || value <= limit;
}

/** zod wants its metadata mutable. */
export function editable(meta: FieldMeta): { description: string; examples?: (string | number)[] } {
  return meta.examples === undefined
    ? { description: meta.description }
    : { description: meta.description, examples: [...meta.examples] };
}
