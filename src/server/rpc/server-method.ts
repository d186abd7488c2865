import type { DescMethodServerStreaming, DescMethodUnary, Message } from "@bufbuild/protobuf";
import type { EncodeMessage } from "../../service/call.ts";
import type { ServerStreamCall, ServerUnaryCall } from "./server-call.ts";

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
      readonly encode?: EncodeMessage | undefined;
    };
