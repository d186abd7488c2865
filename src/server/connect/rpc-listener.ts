import type { DescMethod } from "@bufbuild/protobuf";
import {
  type ConnectRouter,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import { compressionGzip } from "@connectrpc/connect-node";
import type { Logger } from "../../domain/ports.ts";
import { BodyReader } from "../edge/body-reader.ts";
import type { CallLog } from "../edge/call-log.ts";
import type { CallScope } from "../edge/call-scope.ts";
import { describeError } from "../edge/describe-error.ts";
import type { RequestTarget } from "../edge/inspect-request.ts";
import type { Wire } from "../edge/wire.ts";
import { makeCallerGoneError, makeTooLargeError, toConnectError } from "./connect-error.ts";
import { describeCancel, type EncodeError } from "./server-call.ts";
import { writeAnswer } from "./write-answer.ts";

/** Why the edge refuses a call before its body is read. */
export type EarlyRefusal = "draining" | "too_large";

/** One RPC on its way through Connect. */
export interface RpcExchange {
  readonly wire: Wire;
  readonly scope: CallScope;
  readonly log: CallLog;
  readonly target: RequestTarget;
  readonly refusal: EarlyRefusal | undefined;
}

/** Carries an exchange through Connect to the implementation of its method. */
const exchangeKey = createContextKey<RpcExchange | undefined>(undefined, { description: "exchange" });

/** The exchange of a call that came through the edge; every call does. */
export function takeExchange(context: HandlerContext): RpcExchange {
  const exchange = context.values.get(exchangeKey);
  if (exchange === undefined) throw new Error("a call reached its handler without the edge");
  return exchange;
}

/** Registers the implementations of some methods. */
export type RegisterRpcs = (router: ConnectRouter) => void;

/** Serves gRPC, gRPC-Web and Connect through Connect's protocol handlers. */
export class RpcListener {
  readonly #handlers = new Map<string, UniversalHandler>();
  readonly #maxRequestBytes: number;
  readonly #encodeError: EncodeError;
  readonly #logger: Logger;

  constructor(
    options: {
      readonly maxRequestBytes: number;
      readonly encodeError: EncodeError;
      readonly logger: Logger;
    },
    registrations: readonly RegisterRpcs[],
  ) {
    this.#maxRequestBytes = options.maxRequestBytes;
    this.#encodeError = options.encodeError;
    this.#logger = options.logger;
    const router = createConnectRouter({
      readMaxBytes: options.maxRequestBytes,
      acceptCompression: [compressionGzip],
      requestGate: (context) => this.#refuse(takeExchange(context)),
    });
    for (const register of registrations) register(router);
    for (const handler of router.handlers) this.#handlers.set(handler.requestPath, handler);
  }

  /** The method behind a path, or undefined. */
  findMethod(path: string): DescMethod | undefined {
    return this.#handlers.get(path)?.method;
  }

  /** Serves one call. Never throws; failures that have no place on the wire are logged. */
  async serve(exchange: RpcExchange): Promise<void> {
    const { wire, scope, log, target } = exchange;
    const handler = this.#handlers.get(target.path);
    const leaving = new AbortController();
    scope.onClose(() => leaving.abort(makeCallerGoneError()));
    try {
      const answer = await handler?.({ ...this.#describe(exchange), signal: leaving.signal });
      if (answer !== undefined) await writeAnswer(answer, wire, scope, log);
    } catch (error) {
      // After the caller left, everything that writes to it fails: that is no news.
      if (wire.closed) return;
      this.#logger.error("an answer could not be sent", {
        requestId: scope.context.requestId,
        error: describeError(error),
      });
      log.setCode("INTERNAL");
      wire.abort();
    }
  }

  #describe(exchange: RpcExchange): Omit<UniversalServerRequest, "signal"> {
    const { wire, scope, target } = exchange;
    const header = new Headers();
    for (const [name, value] of Object.entries(wire.request.headers)) {
      if (value === undefined || name.startsWith(":")) continue;
      for (const item of Array.isArray(value) ? value : [value]) header.append(name, item);
    }
    return {
      httpVersion: wire.request.httpVersion,
      method: target.httpMethod,
      url: target.url,
      header,
      body: new BodyReader(wire.request, scope, (cause) =>
        toConnectError(this.#encodeError(describeCancel(cause), scope.context.requestId)),
      ),
      contextValues: createContextValues().set(exchangeKey, exchange),
    };
  }

  /** Runs before the body is read, decompressed or parsed. */
  #refuse(exchange: RpcExchange): void {
    if (exchange.refusal === "too_large") throw makeTooLargeError(this.#maxRequestBytes);
    if (exchange.refusal === "draining") {
      throw toConnectError(this.#encodeError(describeCancel("shutdown"), exchange.scope.context.requestId));
    }
  }
}
