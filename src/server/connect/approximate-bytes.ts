/** What a number, a flag or a field's tag takes, about. */
const SCALAR_BYTES = 4;

/**
 * About how many bytes a message takes on the wire: texts and byte strings count by
 * their length, everything else by a few bytes. Encoding it to know would cost
 * twice; a limit on memory needs no more.
 */
export function approximateBytes(value: unknown): number {
  if (typeof value === "string") return value.length + SCALAR_BYTES;
  if (value instanceof Uint8Array) return value.byteLength + SCALAR_BYTES;
  if (typeof value !== "object" || value === null) return SCALAR_BYTES;
  let bytes = 0;
  if (Array.isArray(value)) {
    for (const item of value) bytes += approximateBytes(item);
    return bytes;
  }
  for (const [name, field] of Object.entries(value)) {
    // The names of types and of oneof cases are not on the wire.
    if (name !== "$typeName" && name !== "case") bytes += approximateBytes(field);
  }
  return bytes;
}
