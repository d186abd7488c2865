/** A member that should be text; anything else counts as empty. */
export function readText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
