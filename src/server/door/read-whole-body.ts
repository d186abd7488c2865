import type { BodyFailure } from "../../service/http-exchange.ts";
import type { CallScope } from "../edge/call-scope.ts";
import { readHeader } from "../edge/inspect-request.ts";
import type { NodeRequest } from "../edge/wire.ts";

/**
 * Reads a body of at most `maxBytes`. Calls `done` once, never from inside this
 * function, and not at all when the caller leaves first. A deadline or a shutdown in
 * the middle is `cut_short`.
 */
export function readWholeBody(
  request: NodeRequest,
  scope: CallScope,
  maxBytes: number,
  done: (body: Uint8Array | BodyFailure) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let finished = false;
  const finish = (body: Uint8Array | BodyFailure): void => {
    if (finished) return;
    finished = true;
    stopListening();
    request.off("data", take);
    request.off("end", end);
    done(body);
  };
  const take = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > maxBytes) finish("too_large");
    else chunks.push(chunk);
  };
  const end = (): void => finish(Buffer.concat(chunks, bytes));
  if (scope.cancelled !== undefined) {
    if (scope.cancelled !== "caller_gone") queueMicrotask(() => done("cut_short"));
    return;
  }
  const stopListening = scope.onCancel((cause) => {
    if (cause === "caller_gone") finished = true;
    else finish("cut_short");
  });
  const encoding = readHeader(request, "content-encoding") ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    queueMicrotask(() => finish("unsupported_encoding"));
  } else if (Number(readHeader(request, "content-length") ?? 0) > maxBytes) {
    queueMicrotask(() => finish("too_large"));
  } else {
    request.on("data", take);
    request.once("end", end);
  }
}
