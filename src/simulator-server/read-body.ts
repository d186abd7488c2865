import type { IncomingMessage } from "node:http";

/** Real providers take 20 to 32 MB. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** A body as JSON, or the sentence that says why it is none. */
export type ReadBody =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string };

/** Reads a whole body. Rejects when the client leaves first. */
export async function readBody(request: IncomingMessage): Promise<ReadBody> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    sizeBytes += chunk.length;
    // The rest is read and dropped: leaving the loop would close the connection before the answer.
    if (sizeBytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (sizeBytes > MAX_BODY_BYTES) {
    return { ok: false, message: `the body has more than ${MAX_BODY_BYTES} bytes` };
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, message: "the body is no JSON in UTF-8" };
  }
}
