/**
 * Readers of untrusted JSON. Each gives the value, or takes a fault down and gives
 * undefined. As with OpenAI, null means the same as absent.
 */

import { isRecord } from "../lib/is-record.ts";
import { MAX_TEXT_CHARACTERS } from "../service/violations.ts";
import { type Faults, showName } from "./fault.ts";

/** A JSON object nobody has checked yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What a string must be. Lengths are in UTF-16 code units. */
export interface StringRule {
  readonly minLength?: number;
  /** 4 Mi unless told, as for every text of the contract. */
  readonly maxLength?: number;
  readonly pattern?: RegExp;
  /** Says in words what `pattern` wants. */
  readonly wanted?: string;
}

/** What a number must be; both ends are allowed values unless `aboveMinimum`. */
export interface NumberRule {
  readonly minimum: number;
  readonly maximum: number;
  readonly aboveMinimum?: boolean;
  readonly integer?: boolean;
}

/** Names of tools, schemas and speakers (generation.proto). */
export const NAME_RULE: StringRule = {
  minLength: 1,
  maxLength: 64,
  pattern: /^[A-Za-z0-9_-]*$/,
  wanted: "letters, digits, _ and - only",
};

/** JSON nested deeper than this is refused: what writes it upstream recurses. */
const MAX_DEPTH = 64;

/** Whether a value counts as not given. */
export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** Takes down that a required parameter is absent. */
export function reportMissing(param: string, wanted: string, faults: Faults): undefined {
  return faults.add("missing_required_parameter", param, `is required: ${wanted}`);
}

/** Reads an object. With `known`, other members that are neither null nor absent are faults. */
export function readObject(
  value: unknown,
  param: string,
  faults: Faults,
  known?: readonly string[],
): JsonObject | undefined {
  if (!isRecord(value)) return reportType(value, param, "an object", faults);
  if (known === undefined) return value;
  for (const key of Object.keys(value)) {
    if (known.includes(key) || isAbsent(value[key])) continue;
    if (faults.isFull) break;
    faults.add("unknown_parameter", joinPath(param, key), `is unknown here; known are ${known.join(", ")}`);
  }
  return value;
}

/** Reads an object that is passed on as it is, such as a JSON Schema; at most 64 levels deep. */
export function readFreeObject(value: unknown, param: string, faults: Faults): JsonObject | undefined {
  const object = readObject(value, param, faults);
  if (object === undefined) return undefined;
  if (isDeeperThan(object, MAX_DEPTH)) {
    return faults.add("invalid_value", param, `must not nest deeper than ${MAX_DEPTH} levels`);
  }
  return object;
}

/** Reads an array of at most `maxCount` entries. */
export function readArray(
  value: unknown,
  param: string,
  faults: Faults,
  maxCount: number,
): readonly unknown[] | undefined {
  if (!Array.isArray(value)) return reportType(value, param, "an array", faults);
  if (value.length > maxCount) {
    return faults.add("invalid_value", param, `has ${value.length} entries; at most ${maxCount} are allowed`);
  }
  return value;
}

/** Reads a string of well-formed Unicode that follows `rule`. */
export function readString(
  value: unknown,
  param: string,
  faults: Faults,
  rule: StringRule = {},
): string | undefined {
  if (typeof value !== "string") return reportType(value, param, "a string", faults);
  const { minLength = 0, maxLength = MAX_TEXT_CHARACTERS, pattern, wanted } = rule;
  if (value.length < minLength) return faults.add("invalid_value", param, "must not be empty");
  if (value.length > maxLength) {
    const text = `is ${value.length} characters long; at most ${maxLength} are allowed`;
    return faults.add("invalid_value", param, text);
  }
  if (!value.isWellFormed()) {
    return faults.add("invalid_value", param, "holds half a surrogate pair; it must be well-formed Unicode");
  }
  if (pattern !== undefined && !pattern.test(value)) {
    return faults.add("invalid_value", param, `must be ${wanted ?? "of another form"}`);
  }
  return value;
}

/** Reads one of a few words. */
export function readChoice<Word extends string>(
  value: unknown,
  param: string,
  faults: Faults,
  words: readonly Word[],
): Word | undefined {
  const word = words.find((candidate) => candidate === value);
  if (word !== undefined) return word;
  const wanted = `one of ${words.join(", ")}`;
  if (typeof value !== "string") return reportType(value, param, wanted, faults);
  return faults.add("invalid_value", param, `must be ${wanted}`);
}

/** Reads true or false. */
export function readBoolean(value: unknown, param: string, faults: Faults): boolean | undefined {
  return typeof value === "boolean" ? value : reportType(value, param, "true or false", faults);
}

/** Reads a number that follows `rule`. */
export function readNumber(
  value: unknown,
  param: string,
  faults: Faults,
  rule: NumberRule,
): number | undefined {
  const { minimum, maximum, aboveMinimum = false, integer = false } = rule;
  const kind = integer ? "a whole number" : "a number";
  const wanted = `${kind} ${aboveMinimum ? "above" : "from"} ${minimum} to ${maximum}`;
  if (typeof value !== "number") return reportType(value, param, wanted, faults);
  const isInRange = (aboveMinimum ? value > minimum : value >= minimum) && value <= maximum;
  if (isInRange && (!integer || Number.isInteger(value))) return value;
  return faults.add("invalid_value", param, `is ${value}; it must be ${wanted}`);
}

/** The path of a member whose name a caller wrote. */
export function joinPath(param: string, key: string): string {
  return param === "" ? showName(key) : `${param}.${showName(key)}`;
}

function reportType(value: unknown, param: string, wanted: string, faults: Faults): undefined {
  if (isAbsent(value)) return reportMissing(param, wanted, faults);
  return faults.add("invalid_type", param, `is ${nameType(value)}; it must be ${wanted}`);
}

function nameType(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  if (typeof value === "boolean") return `${value}`;
  return `a ${typeof value}`;
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}
