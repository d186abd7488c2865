/** Makes a picture of a message from a file or an address. */

import { readFile } from "node:fs/promises";
import { create } from "@bufbuild/protobuf";
import { type ContentPart, ContentPartSchema } from "../../gen/sluice/v1/generation_pb.ts";
import { printable } from "./printable-text.ts";
import { describeSystemError } from "./system-error.ts";
import { UsageError } from "./usage-error.ts";

/** `Image.data` in generation.proto. */
const MAX_IMAGE_BYTES = 8 * 1024 * 1024;

/** The first bytes of each format that `Image.media_type` allows, in hex; `..` is any byte. */
const SIGNATURES: readonly (readonly [RegExp, string])[] = [
  [/^89504e470d0a1a0a/, "image/png"],
  [/^ffd8ff/, "image/jpeg"],
  [/^47494638(?:37|39)61/, "image/gif"],
  [/^52494646.{8}57454250/, "image/webp"],
];
const SIGNATURE_BYTES = 12;

/** Reads `--image`: an https address is passed on, anything else is a file. Throws UsageError. */
export async function loadImagePart(source: string): Promise<ContentPart> {
  if (/^https:\/\//i.test(source)) return makePart({ source: { case: "url", value: source } });
  const name = printable(source);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source)) {
    throw new UsageError(
      `--image "${name}" is not an https address. Providers fetch pictures over https only.`,
    );
  }
  let data: Buffer;
  try {
    data = await readFile(source);
  } catch (error) {
    throw new UsageError(`--image "${name}" cannot be read: ${describeSystemError(error)}.`);
  }
  if (data.length > MAX_IMAGE_BYTES) {
    throw new UsageError(`--image "${name}" has ${data.length} bytes; ${MAX_IMAGE_BYTES} are allowed.`);
  }
  const head = data.toString("hex", 0, SIGNATURE_BYTES);
  const mediaType = SIGNATURES.find(([signature]) => signature.test(head))?.[1];
  if (mediaType === undefined) {
    throw new UsageError(`--image "${name}" is no PNG, JPEG, GIF or WebP picture.`);
  }
  return makePart({ source: { case: "data", value: data }, mediaType });
}

type ImageValue = Extract<ContentPart["part"], { case: "image" }>["value"];

function makePart(image: Partial<Pick<ImageValue, "source" | "mediaType">>): ContentPart {
  return create(ContentPartSchema, { part: { case: "image", value: image } });
}
