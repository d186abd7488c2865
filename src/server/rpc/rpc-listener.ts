import type { DescMethod } from "@bufbuild/protobuf";
import type { Logger } from "../../domain/ports.ts";
import { ConnectListener, type RegisterRpcs } from "../connect/connect-listener.ts";
import { type MethodParts, registerMethods } from "../connect/register-methods.ts";
import { GrpcListener } from "../grpc/grpc-listener.ts";
import type { RpcExchange } from "./rpc-exchange.ts";
import type { EncodeError } from "./server-call.ts";
import type { ServerMethod } from "./server-method.ts";

/** What RPCs are served with. */
export interface RpcParts extends Pick<MethodParts, "jsonOptions"> {
  readonly maxRequestBytes: number;
  readonly encodeError: EncodeError;
  readonly logger: Logger;
}

/** Serves every RPC of a port: plain gRPC by our own code, every other protocol and form of it through Connect. */
export class RpcListener {
  readonly #connect: ConnectListener;
  readonly #grpc: GrpcListener;

  /** `registrations` add methods that Connect alone serves. */
  constructor(
    parts: RpcParts,
    methods: readonly ServerMethod[],
    registrations: readonly RegisterRpcs[] = [],
  ) {
    this.#connect = new ConnectListener(parts, [
      (router) => registerMethods(router, methods, parts),
      ...registrations,
    ]);
    this.#grpc = new GrpcListener(parts, methods);
  }

  /** The method behind a path, or undefined. */
  findMethod(path: string): DescMethod | undefined {
    return this.#connect.findMethod(path);
  }

  /** Serves one call. Never throws; failures that have no place on the wire are logged. */
  serve(exchange: RpcExchange): void {
    if (this.#grpc.takes(exchange.wire.request, exchange.target.path)) this.#grpc.serve(exchange);
    else void this.#connect.serve(exchange);
  }
}
