/** version 00, trace id, parent id, flags; all lower-case hex (W3C Trace Context, level 1, 3.2). */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** The header where it is valid: version 00 and ids that are not all zeros. Else undefined. */
export function validateTraceparent(header: string | undefined): string | undefined {
  const match = header === undefined ? null : TRACEPARENT.exec(header);
  if (match === null) return undefined;
  const [whole, traceId, parentId] = match;
  if (traceId === "0".repeat(32) || parentId === "0".repeat(16)) return undefined;
  return whole;
}
