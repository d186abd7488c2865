/** The `content` of a message: a string, or an array of parts. */

import type { ContentPart } from "../domain/request.ts";
import { decodeImage } from "./decode-image.ts";
import type { Faults } from "./fault.ts";
import { isAbsent, readArray, readChoice, readObject, readString } from "./read-value.ts";

/** Parts of one message; no limit of the contract, only a bound on work. */
const MAX_PART_COUNT = 1_000;

type PartType = "text" | "image_url" | "refusal";

/** What a message's content may hold. */
export interface ContentRule {
  readonly types: readonly PartType[];
  readonly mayBeEmpty: boolean;
}

/** Reads content. Empty texts are left out, for they say nothing; what then is empty must be allowed to be. */
export function decodeContent(
  value: unknown,
  param: string,
  faults: Faults,
  rule: ContentRule,
): readonly ContentPart[] | undefined {
  const parts = isAbsent(value) ? [] : decodeParts(value, param, faults, rule.types);
  if (parts === undefined || parts.length > 0 || rule.mayBeEmpty) return parts;
  const wanted = "it must be a text that is not empty, or an array of parts";
  if (isAbsent(value)) return faults.add("missing_required_parameter", param, `is required: ${wanted}`);
  return faults.add("invalid_value", param, `is empty; ${wanted}`);
}

function decodeParts(
  value: unknown,
  param: string,
  faults: Faults,
  types: readonly PartType[],
): readonly ContentPart[] | undefined {
  if (typeof value === "string") {
    const text = readString(value, param, faults);
    return text === undefined ? undefined : listText(text);
  }
  if (!Array.isArray(value)) {
    return faults.add("invalid_type", param, "must be a string or an array of parts");
  }
  const entries = readArray(value, param, faults, MAX_PART_COUNT);
  if (entries === undefined) return undefined;
  const parts: ContentPart[] = [];
  let isWhole = true;
  for (const [index, entry] of entries.entries()) {
    if (faults.isFull) return undefined;
    const read = decodePart(entry, `${param}[${index}]`, faults, types);
    if (read === undefined) isWhole = false;
    else parts.push(...read);
  }
  return isWhole ? parts : undefined;
}

function decodePart(
  value: unknown,
  param: string,
  faults: Faults,
  types: readonly PartType[],
): readonly ContentPart[] | undefined {
  const part = readObject(value, param, faults);
  if (part === undefined) return undefined;
  const type = readChoice(part.type, `${param}.type`, faults, types);
  if (type === undefined) return undefined;
  readObject(part, param, faults, ["type", type]);
  if (type === "image_url") {
    const image = decodeImage(part.image_url, `${param}.image_url`, faults);
    return image === undefined ? undefined : [image];
  }
  const text = readString(part[type], `${param}.${type}`, faults);
  return text === undefined ? undefined : listText(text);
}

function listText(text: string): readonly ContentPart[] {
  return text === "" ? [] : [{ kind: "text", text }];
}
