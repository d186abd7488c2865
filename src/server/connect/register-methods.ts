import type { Message } from "@bufbuild/protobuf";
import type { ConnectRouter, ConnectRouterOptions, HandlerContext } from "@connectrpc/connect";
import type { Logger } from "../../domain/ports.ts";
import { limitMessage } from "../rpc/message-limit.ts";
import { nameMethod } from "../rpc/method-name.ts";
import type { CallMetadata, CallParts, EncodeError } from "../rpc/server-call.ts";
import type { ServerMethod } from "../rpc/server-method.ts";
import { takeExchange } from "./connect-listener.ts";
import { ServerStream } from "./server-stream.ts";
import { ServerUnary } from "./server-unary.ts";

/** What methods are served with. */
export interface MethodParts {
  readonly maxRequestBytes: number;
  readonly encodeError: EncodeError;
  readonly logger: Logger;
  /** Which types messages may hold in an Any, for JSON. */
  readonly jsonOptions?: ConnectRouterOptions["jsonOptions"];
}

/** Makes Connect call our handlers with calls of our own. */
export function registerMethods(
  router: ConnectRouter,
  methods: readonly ServerMethod[],
  { maxRequestBytes, encodeError, logger, jsonOptions }: MethodParts,
): void {
  for (const method of methods) {
    const options = {
      readMaxBytes: limitMessage(method.method, maxRequestBytes),
      ...(jsonOptions !== undefined && { jsonOptions }),
    };
    const name = nameMethod(method.method);
    const gather = (context: HandlerContext): CallParts => {
      const { scope, log } = takeExchange(context);
      return { scope, log, method: name, encodeError, logger };
    };
    if (method.kind === "unary") {
      const serve = (request: Message, context: HandlerContext): Promise<Message> => {
        const call = new ServerUnary(gather(context), describeMetadata(context));
        call.guard(() => method.handle(request, call));
        return call.answer;
      };
      router.rpc(method.method, serve, options);
    } else {
      const serve = (request: Message, context: HandlerContext) => {
        const call = new ServerStream(gather(context), describeMetadata(context));
        call.guard(() => method.handle(request, call));
        return call.messages;
      };
      router.rpc(method.method, serve, options);
    }
  }
}

function describeMetadata(context: HandlerContext): CallMetadata {
  return {
    requestHeaders: context.requestHeader,
    callerTimeoutMs: takeExchange(context).callerTimeoutMs,
    addHeader: (name, value) => context.responseHeader.append(name, value),
    addTrailer: (name, value) => context.responseTrailer.append(name, value),
  };
}
