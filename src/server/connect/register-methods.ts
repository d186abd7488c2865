import type { DescMethodServerStreaming, DescMethodUnary, Message } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import type { Logger } from "../../domain/ports.ts";
import { nameMethod } from "./method-name.ts";
import { takeExchange } from "./rpc-listener.ts";
import {
  type CallParts,
  type EncodeError,
  type ServerStreamCall,
  ServerUnary,
  type ServerUnaryCall,
} from "./server-call.ts";
import { ServerStream } from "./server-stream.ts";

/** A method as the server itself may serve it; every `RpcMethod` is one. */
export type ServerMethod =
  | {
      readonly kind: "unary";
      readonly method: DescMethodUnary;
      handle(request: Message, call: ServerUnaryCall): void;
    }
  | {
      readonly kind: "server_streaming";
      readonly method: DescMethodServerStreaming;
      handle(request: Message, call: ServerStreamCall): void;
    };

/** Makes Connect call our handlers with calls of our own. */
export function registerMethods(
  router: ConnectRouter,
  methods: readonly ServerMethod[],
  parts: { readonly encodeError: EncodeError; readonly logger: Logger },
): void {
  for (const method of methods) {
    const name = nameMethod(method.method);
    const gather = (context: HandlerContext): CallParts => {
      const { scope, log } = takeExchange(context);
      return { scope, log, method: name, ...parts };
    };
    if (method.kind === "unary") {
      router.rpc(method.method, (request: Message, context: HandlerContext) => {
        const call = new ServerUnary(gather(context));
        call.guard(() => method.handle(request, call));
        return call.answer;
      });
    } else {
      router.rpc(method.method, (request: Message, context: HandlerContext) => {
        const call = new ServerStream(gather(context));
        call.guard(() => method.handle(request, call));
        return call.messages;
      });
    }
  }
}
