/** Pictures in user messages. */

import { Buffer } from "node:buffer";
import type { ContentPart, ImageSource } from "../domain/request.ts";
import type { Faults } from "./fault.ts";
import { isAbsent, readChoice, readObject, readString } from "./read-value.ts";

/** The largest picture given by value (generation.proto). */
const MAX_IMAGE_BYTES = 8 * 1024 * 1024;

/** Room for the largest picture in base64 and for what stands before it. */
const MAX_DATA_URL_LENGTH = 2 * MAX_IMAGE_BYTES;

/** The longest address (generation.proto). */
const MAX_URL_LENGTH = 2_048;

/** `image/jpg` is not registered with IANA but common. */
const MEDIA_TYPES: ReadonlyMap<string, string> = new Map([
  ["image/png", "image/png"],
  ["image/jpeg", "image/jpeg"],
  ["image/jpg", "image/jpeg"],
  ["image/webp", "image/webp"],
  ["image/gif", "image/gif"],
]);

/** Reads the `image_url` of a content part: an https address, or a `data:` URL (RFC 2397) in base64. */
export function decodeImage(value: unknown, param: string, faults: Faults): ContentPart | undefined {
  const image = readObject(value, param, faults, ["url", "detail"]);
  if (image === undefined) return undefined;
  const source = decodeSource(image.url, `${param}.url`, faults);
  const detail = isAbsent(image.detail)
    ? "auto"
    : readChoice(image.detail, `${param}.detail`, faults, ["auto", "low", "high"]);
  if (source === undefined || detail === undefined) return undefined;
  return { kind: "image", source, ...(detail === "auto" ? {} : { detail }) };
}

function decodeSource(value: unknown, param: string, faults: Faults): ImageSource | undefined {
  const url = readString(value, param, faults, { minLength: 1, maxLength: MAX_DATA_URL_LENGTH });
  if (url === undefined) return undefined;
  if (/^data:/i.test(url)) return decodeDataUrl(url, param, faults);
  if (url.length > MAX_URL_LENGTH) {
    const text = `is ${url.length} characters long; an address may have ${MAX_URL_LENGTH}`;
    return faults.add("invalid_value", param, text);
  }
  if (!isHttpsUrl(url)) {
    const text = "must be an https:// address without user and password, or a data: URL in base64";
    return faults.add("invalid_value", param, text);
  }
  return { kind: "url", url };
}

function isHttpsUrl(text: string): boolean {
  if (!/^https:\/\//i.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === "" && password === "";
}

function decodeDataUrl(url: string, param: string, faults: Faults): ImageSource | undefined {
  const commaAt = url.indexOf(",");
  const [type = "", ...attributes] = url
    .slice("data:".length, commaAt < 0 ? "data:".length : Math.min(commaAt, 256))
    .split(";");
  const mediaType = MEDIA_TYPES.get(type.trim().toLowerCase());
  if (mediaType === undefined || attributes.at(-1)?.trim().toLowerCase() !== "base64") {
    const text = "must begin data:image/png;base64, – or have jpeg, webp or gif for png";
    return faults.add("invalid_value", param, text);
  }
  return decodeBase64(url.slice(commaAt + 1), mediaType, param, faults);
}

function decodeBase64(
  text: string,
  mediaType: string,
  param: string,
  faults: Faults,
): ImageSource | undefined {
  const digitCount = text.length - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);
  const byteCount = Math.floor((digitCount * 3) / 4);
  if (byteCount > MAX_IMAGE_BYTES) {
    const text = `holds ${byteCount} bytes; at most ${MAX_IMAGE_BYTES} are allowed`;
    return faults.add("invalid_value", param, text);
  }
  // Node skips what is not base64, so anything foreign shows in the length.
  const data = Buffer.from(text, "base64");
  if (byteCount === 0 || digitCount % 4 === 1 || data.length !== byteCount) {
    return faults.add("invalid_value", param, "does not hold base64 (RFC 4648, section 4) after the comma");
  }
  return { kind: "data", data, mediaType };
}
