import type { RouteError } from "../../domain/errors.ts";
import type { BodyFailure } from "../../service/http-exchange.ts";
import type { BodyMeter } from "../edge/body-meter.ts";
import type { CallScope } from "../edge/call-scope.ts";
import { readHeader } from "../edge/inspect-request.ts";
import { JsonParts } from "../edge/part-counter.ts";
import { describeTooManyParts } from "../edge/refusals.ts";
import type { NodeRequest } from "../edge/wire.ts";

/** What a body is read under. */
export interface WholeBodyTerms {
  readonly maxBytes: number;
  readonly meter: BodyMeter;
  /** When reading begins, on the Clock. */
  readonly nowMs: number;
  /** Called instead of `done` when the body comes too slowly, there is no room for it, or it has too many parts. */
  refuse(error: RouteError): void;
}

/**
 * Reads a body of JSON, of at most `maxBytes`. Calls `done` once, never from inside this
 * function, and not at all when the caller leaves first. A deadline or a shutdown in
 * the middle is `cut_short`.
 */
export function readWholeBody(
  request: NodeRequest,
  scope: CallScope,
  { maxBytes, meter, nowMs, refuse }: WholeBodyTerms,
  done: (body: Uint8Array | BodyFailure) => void,
): void {
  const chunks: Buffer[] = [];
  const parts = new JsonParts();
  let bytes = 0;
  let finished = false;
  const stop = (): boolean => {
    if (finished) return false;
    finished = true;
    stopListening();
    meter.finish();
    request.off("data", take);
    request.off("end", end);
    return true;
  };
  const finish = (body: Uint8Array | BodyFailure): void => {
    if (stop()) done(body);
  };
  const fail = (error: RouteError): void => {
    if (stop()) refuse(error);
  };
  const take = (chunk: Buffer): void => {
    bytes += chunk.length;
    const error = parts.accept(chunk) ? meter.receive(chunk.length) : describeTooManyParts();
    if (bytes > maxBytes) finish("too_large");
    else if (error !== undefined) fail(error);
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
    meter.expect(nowMs, fail);
    request.on("data", take);
    request.once("end", end);
  }
}
