import { type Parsed, readAs, refuse } from "./parsed.ts";

/** What a right base URL would be, in words. */
export const BASE_URL_RIGHT =
  "an http or https URL without credentials, query or fragment, for example https://api.example.com/v1";

/** Reads a provider's base URL; comes back without a trailing slash. */
export function parseBaseUrl(text: string): Parsed<string> {
  // The URL parser would silently drop tabs and line ends, and take a backslash for a slash.
  if (/[\s\\]/.test(text)) return refuse("has a space, line end or backslash in it", BASE_URL_RIGHT);
  const url = URL.parse(text);
  if (url === null) return refuse("is not a URL", BASE_URL_RIGHT);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return refuse("is neither http nor https", BASE_URL_RIGHT);
  }
  if (!/^https?:\/\//i.test(text)) return refuse("lacks the two slashes", BASE_URL_RIGHT);
  if (url.username !== "" || url.password !== "" || /^[^/]*\/\/[^/]*@/.test(text)) {
    return refuse(
      "has credentials in it",
      "the URL without them; the key belongs in api_key or api_key_file",
    );
  }
  if (/[?#]/.test(text)) return refuse("has a query or a fragment", BASE_URL_RIGHT);
  const path = url.pathname.replace(/\/+$/, "");
  if (path.endsWith("/chat/completions")) {
    return refuse("ends in /chat/completions", "the part before that; Sluice appends it");
  }
  return readAs(url.origin + path);
}
