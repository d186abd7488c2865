/** The RPC protocols that share the port. */
export type RpcProtocol = "grpc" | "grpc-web" | "connect";

/** Which protocol a request speaks, by its content type; whatever is not gRPC's is taken for Connect. */
export function detectRpcProtocol(contentType: string | undefined): RpcProtocol {
  if (contentType === undefined || !contentType.startsWith("application/grpc")) return "connect";
  return contentType.startsWith("application/grpc-web") ? "grpc-web" : "grpc";
}
