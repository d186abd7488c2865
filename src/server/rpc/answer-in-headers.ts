import type { Wire } from "../edge/wire.ts";
import { encodeGrpcMessage } from "./grpc-message.ts";

/** Ends a gRPC or gRPC-Web call with headers alone (Trailers-Only, gRPC PROTOCOL-HTTP2). Nothing may have been sent. */
export function answerInHeaders(
  wire: Wire,
  contentType: string,
  status: { readonly code: number; readonly message: string },
): void {
  wire.setHeader("content-type", contentType);
  wire.setHeader("grpc-status", `${status.code}`);
  wire.setHeader("grpc-message", encodeGrpcMessage(status.message));
  // Over HTTP/2 the headers themselves must end the stream, which they do only when nothing went before.
  if (!wire.isHttp2) wire.writeHead(200, {});
  wire.end();
}
