/** The name of an enum's value, for example `RATE_LIMIT`; the number as text where it has none. */
export function nameEnumValue(enumeration: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(enumeration).find(([, number]) => number === value)?.[0] ?? String(value);
}
