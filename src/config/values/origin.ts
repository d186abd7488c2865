import { type Parsed, readAs, refuse } from "./parsed.ts";

/** What a right origin would be, in words. */
export const ORIGIN_RIGHT =
  "an origin as browsers send it: http or https, host, and port unless it is the usual one";

/** Reads an origin (RFC 6454 6.2) such as `https://app.example.org`; not `*`, not `null`, no path. */
export function parseOrigin(text: string): Parsed<string> {
  if (text === "*") return refuse("would let every page of the web in", ORIGIN_RIGHT);
  if (!URL.canParse(text)) return refuse("is not an origin", ORIGIN_RIGHT);
  const { origin, protocol } = new URL(text);
  if (protocol !== "http:" && protocol !== "https:") return refuse("is not http or https", ORIGIN_RIGHT);
  if (origin === text) return readAs(text);
  return refuse("is not written as browsers write it", `${ORIGIN_RIGHT}; here ${origin}`);
}
