import { detectRpcProtocol } from "../edge/rpc-protocol.ts";
import type { Wire } from "../edge/wire.ts";
import { answerInHeaders } from "./answer-in-headers.ts";

/** The number of UNIMPLEMENTED (grpc/grpc doc/statuscodes.md). */
const UNIMPLEMENTED = 12;

/** `/package.Service/Method`. */
const RPC_PATH = /^\/[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+\/[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Answers a call of a method that is not served, in the caller's protocol: gRPC and gRPC-Web
 * read the status from headers alone (Trailers-Only), Connect from JSON. Returns false, having
 * done nothing, when the request is no RPC.
 */
export function answerUnimplemented(wire: Wire, path: string, contentType: string | undefined): boolean {
  const message = "no method is served at this path";
  if (contentType !== undefined && detectRpcProtocol(contentType) !== "connect") {
    answerInHeaders(wire, contentType, { code: UNIMPLEMENTED, message });
    return true;
  }
  if (!RPC_PATH.test(path)) return false;
  const body = JSON.stringify({ code: "unimplemented", message });
  wire.writeHead(404, {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
  });
  if (wire.request.method !== "HEAD") wire.write(body);
  wire.end();
  return true;
}
