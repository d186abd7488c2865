import { type Parsed, readAs, refuse } from "./parsed.ts";

const LONGEST_CHARS = 8_192;

/**
 * Reads a key; white space around it is cut. What is left must fit into a header:
 * printable Latin-1 (RFC 9110, 5.5), 1 to 8,192 characters.
 */
export function parseApiKey(text: string): Parsed<string> {
  const key = text.trim();
  if (key === "") return refuse("is empty", "the key; leave it out for a server that wants none");
  if (key.length > LONGEST_CHARS)
    return refuse("is too long", `a key of at most ${LONGEST_CHARS} characters`);
  if (!/^[\x20-\x7e\xa0-\xff]+$/.test(key)) {
    return refuse(
      "has a character that no header can carry",
      "the key alone, in printable Latin-1, without line ends",
    );
  }
  return readAs(key);
}
