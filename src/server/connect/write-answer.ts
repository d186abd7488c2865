import type { OutgoingHttpHeaders } from "node:http";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { CallLog } from "../edge/call-log.ts";
import type { CallScope } from "../edge/call-scope.ts";
import type { Wire } from "../edge/wire.ts";
import { repairGrpcMessage } from "../rpc/grpc-message.ts";
import { observeCode } from "./observed-code.ts";

/**
 * Sends what Connect made of a call. Pulls the next piece only when the network has
 * room, which is what makes a slow reader felt by the handler.
 */
export async function writeAnswer(
  answer: UniversalServerResponse,
  wire: Wire,
  scope: CallScope,
  log: CallLog,
): Promise<void> {
  const chunks = answer.body?.[Symbol.asyncIterator]();
  let lastChunk: Uint8Array | undefined;
  if (!wire.closed) wire.writeHead(answer.status, toNodeHeaders(answer.header));
  while (chunks !== undefined && !wire.closed) {
    const next = await chunks.next();
    if (next.done === true || wire.closed) break;
    lastChunk = next.value;
    if (!wire.write(next.value)) await wire.drained();
  }
  if (wire.closed) {
    // Lets go of what Connect holds for the call; there is nobody to tell of a failure.
    await chunks?.return?.();
    return;
  }
  const grpcStatus = answer.trailer?.get("grpc-status") ?? null;
  const contentType = answer.header?.get("content-type") ?? "";
  log.observeCode(
    observeCode({ httpStatus: answer.status, contentType, grpcStatus, lastChunk }),
    scope.context.requestId,
  );
  scope.settle();
  wire.end(answer.trailer === undefined ? undefined : toNodeHeaders(answer.trailer));
  if (wire.isHttp2 && !wire.requestComplete) scope.linger();
}

function toNodeHeaders(headers: Headers | undefined): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = {};
  headers?.forEach((value, name) => {
    fields[name] = name === "grpc-message" ? repairGrpcMessage(value) : value;
  });
  return fields;
}
