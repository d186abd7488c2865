/** The names in a certificate's subjectAltName (RFC 5280 4.2.1.6) that can be an identity. */

/** One entry of Node's text: a type, then a plain value or, where it has special characters, a JSON string. */
const ENTRY = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(, |$)/y;

/**
 * Reads the text that Node makes of a certificate's subjectAltName. Gives `DNS:…` in
 * small letters and `URI:…` (SPIFFE ids are such) as they are; other types are no
 * identity. A text that cannot be read to its end gives none: half a certificate is no proof.
 */
export function listSubjectNames(subjectAltName: string | undefined): readonly string[] {
  if (subjectAltName === undefined || subjectAltName === "") return [];
  const names: string[] = [];
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < subjectAltName.length) {
    const [, type, written = ""] = ENTRY.exec(subjectAltName) ?? [];
    if (type === undefined) return [];
    const value = written.startsWith('"') ? unquote(written) : written;
    if (value === undefined) return [];
    if (type === "DNS") names.push(`DNS:${value.toLowerCase()}`);
    if (type === "URI") names.push(`URI:${value}`);
  }
  return names;
}

function unquote(written: string): string | undefined {
  try {
    const value: unknown = JSON.parse(written);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
