import { nameRpcCode } from "../rpc/rpc-code.ts";

/** Flags of the last message of a stream: Connect's end (bit 1), gRPC-Web's trailers (bit 7). */
const CONNECT_END = 0b10;
const GRPC_WEB_TRAILERS = 0b1000_0000;

const PREFIX_BYTES = 5;

/** An answer as the RPC library made it. */
export interface AnswerEnd {
  readonly httpStatus: number;
  readonly contentType: string;
  readonly grpcStatus: string | null;
  readonly lastChunk: Uint8Array | undefined;
}

/**
 * The status that an answer carries, for the access log of calls that ended before
 * they reached a handler: a body that cannot be parsed, a message too large.
 */
export function observeCode(answer: AnswerEnd): string {
  if (answer.grpcStatus !== null) return nameRpcCode(Number(answer.grpcStatus));
  const chunk = answer.lastChunk;
  const enveloped = /^application\/(connect\+|grpc)/.test(answer.contentType);
  if (!enveloped || chunk === undefined) {
    return answer.httpStatus === 200 ? "OK" : (readConnectCode(chunk) ?? `HTTP_${answer.httpStatus}`);
  }
  const flags = chunk[0] ?? 0;
  const end = chunk.subarray(PREFIX_BYTES);
  if (flags & GRPC_WEB_TRAILERS) {
    const status = /grpc-status: *([0-9]+)/i.exec(Buffer.from(end).toString("latin1"))?.[1];
    return status === undefined ? "UNKNOWN" : nameRpcCode(Number(status));
  }
  return flags & CONNECT_END ? (readConnectCode(end) ?? "OK") : "OK";
}

/** The code of a Connect error, in capitals. Connect alone spells it `canceled`. */
function readConnectCode(json: Uint8Array | undefined): string | undefined {
  if (json === undefined) return undefined;
  const code = /"code":"([a-z_]+)"/.exec(Buffer.from(json).toString("latin1"))?.[1];
  return code === "canceled" ? "CANCELLED" : code?.toUpperCase();
}
