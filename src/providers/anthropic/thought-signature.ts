/** How thoughts of Anthropic's models travel to the caller and back, in a tool call's signature. */

import { isRecord } from "../../lib/is-record.ts";

/** A block of thoughts as the API sends it and wants it back, unchanged (Messages API, extended thinking). */
export type ThoughtBlock =
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "redacted_thinking"; readonly data: string };

/** Tells these signatures from those of other providers. */
const PREFIX = "anthropic:";

/** The signature of a call before which these thoughts came. */
export function encodeThoughts(blocks: readonly ThoughtBlock[]): string {
  return PREFIX + JSON.stringify(blocks);
}

/** Whether a signature is one of Anthropic's. */
export function holdsThoughts(signature: string): boolean {
  return signature.startsWith(PREFIX);
}

/** The thoughts in a signature; empty when it is of another provider or not as it was given. */
export function decodeThoughts(signature: string | undefined): readonly ThoughtBlock[] {
  if (signature === undefined || !holdsThoughts(signature)) return [];
  let value: unknown;
  try {
    value = JSON.parse(signature.slice(PREFIX.length));
  } catch {
    return [];
  }
  const blocks = Array.isArray(value) ? value.map(readThought) : [];
  return blocks.filter((block) => block !== undefined);
}

/** Reads a block; undefined when it is none, or a thought that nobody signed, which the API would refuse. */
export function readThought(value: unknown): ThoughtBlock | undefined {
  if (!isRecord(value)) return undefined;
  const { type, thinking, signature, data } = value;
  if (type === "redacted_thinking" && typeof data === "string" && data !== "") return { type, data };
  if (type !== "thinking" || typeof thinking !== "string") return undefined;
  return typeof signature === "string" && signature !== "" ? { type, thinking, signature } : undefined;
}
