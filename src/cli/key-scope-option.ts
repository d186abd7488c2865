import { findNearName } from "../config/near-name.ts";
import { SCOPES, type Scope } from "../domain/caller.ts";
import { printable } from "./printable-text.ts";
import { UsageError } from "./usage-error.ts";

/** Reads `--scope`, given once or more; the same one twice counts once. Throws UsageError. */
export function parseScopeOption(texts: readonly string[]): readonly Scope[] {
  if (texts.length === 0) {
    throw new UsageError(`A key needs one --scope or more: ${SCOPES.join(", ")}.`);
  }
  const scopes = texts.map((text) => {
    const scope = SCOPES.find((each) => each === text);
    if (scope !== undefined) return scope;
    const near = findNearName(text, SCOPES);
    const hint = near === undefined ? "" : ` Did you mean ${near}?`;
    throw new UsageError(`--scope "${printable(text)}" is none of ${SCOPES.join(", ")}.${hint}`);
  });
  return [...new Set(scopes)];
}
