import type { DescMethod } from "@bufbuild/protobuf";
import {
  Code,
  type ConnectError,
  type ConnectRouter,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { RouteError } from "../../domain/errors.ts";
import type { Logger } from "../../domain/ports.ts";
import { BodyReader } from "../edge/body-reader.ts";
import { describeError } from "../edge/describe-error.ts";
import { readHeader } from "../edge/inspect-request.ts";
import { JsonParts, type PartCounter } from "../edge/part-counter.ts";
import { describeTooLarge, describeTooManyParts } from "../edge/refusals.ts";
import { answerInHeaders } from "../rpc/answer-in-headers.ts";
import { BinaryParts } from "../rpc/binary-parts.ts";
import { limitMessage, READ_OPTIONS } from "../rpc/message-limit.ts";
import type { RpcExchange } from "../rpc/rpc-exchange.ts";
import { describeCancel, type EncodeError } from "../rpc/server-call.ts";
import { compressions, type InflationTerms, inflateUnder } from "./compressions.ts";
import { makeCallerGoneError, toConnectError } from "./connect-error.ts";
import { isEnveloped, MessageSizes } from "./message-sizes.ts";
import { writeAnswer } from "./write-answer.ts";

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
export class ConnectListener {
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
      binaryOptions: READ_OPTIONS,
      acceptCompression: [...compressions],
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
      const request = { ...this.#describe(exchange), signal: leaving.signal };
      const answer = await (isCompressed(exchange)
        ? inflateUnder(this.#limitInflation(exchange), () => handler?.(request))
        : handler?.(request));
      if (answer !== undefined) await writeAnswer(answer, wire, scope, log);
    } catch (error) {
      // After the caller left, everything that writes to it fails: that is no news.
      if (wire.closed || answerBadText(error, exchange)) return;
      this.#logger.error("an answer could not be sent", {
        requestId: scope.context.requestId,
        error: describeError(error),
      });
      log.setCode("INTERNAL");
      wire.abort();
    }
  }

  #describe(exchange: RpcExchange): Omit<UniversalServerRequest, "signal"> {
    const { wire, target } = exchange;
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
      body: this.#readBody(exchange),
      contextValues: createContextValues().set(exchangeKey, exchange),
    };
  }

  #readBody(exchange: RpcExchange): BodyReader {
    const { wire, scope, meter, target } = exchange;
    const kind = this.#handlers.get(target.path)?.method.methodKind;
    const isCallerStreaming = kind === "client_streaming" || kind === "bidi_streaming";
    const maxBytes = this.#limitMessage(exchange);
    const enveloped = isEnveloped(readHeader(wire.request, "content-type"));
    const encoding = readHeader(wire.request, "content-encoding")?.toLowerCase() ?? "identity";
    const isInflatedFirst = !enveloped && encoding !== "identity";
    const countParts = isInflatedFirst ? undefined : () => this.#countParts(exchange);
    const sizes = new MessageSizes(maxBytes, enveloped, countParts);
    return new BodyReader(wire.request, scope, {
      meter,
      nowMs: scope.context.arrivedMs,
      // Connect asks for more when the handler has dealt with all whole messages: a stream without an end
      // must not use up the memory for all requests by what is long gone.
      proceed: () => {
        if (isCallerStreaming) meter.keep(sizes.unfinishedBytes);
      },
      check: (chunk) => {
        const excess = sizes.accept(chunk);
        if (excess === undefined) return undefined;
        return excess === "bytes" ? describeTooLarge(maxBytes) : describeTooManyParts();
      },
      stop: (cause) => this.#makeError(exchange, describeCancel(cause)),
      fail: (error) => this.#makeError(exchange, error),
    });
  }

  #limitInflation(exchange: RpcExchange): InflationTerms {
    return {
      peer: exchange.scope.context.peer,
      checkWanted: () => {
        const { cancelled } = exchange.scope;
        if (cancelled !== undefined) throw this.#makeError(exchange, describeCancel(cancelled));
      },
      makeTooLargeError: () => this.#makeError(exchange, describeTooLarge(this.#limitMessage(exchange))),
      hold: (message) => {
        const error = exchange.meter.hold(message.byteLength);
        if (error !== undefined) throw this.#makeError(exchange, error);
        if (!this.#countParts(exchange).accept(message)) {
          throw this.#makeError(exchange, describeTooManyParts());
        }
      },
    };
  }

  #countParts({ wire, target }: RpcExchange): PartCounter {
    const method = this.findMethod(target.path);
    // A GET has its message, and the form of it, in the address (Connect protocol, Unary-Get-Request).
    const form =
      target.httpMethod === "GET"
        ? new URL(target.url).searchParams.get("encoding")
        : readHeader(wire.request, "content-type");
    const isJson = /json/i.test(form ?? "");
    return isJson || method === undefined ? new JsonParts() : new BinaryParts(method.input);
  }

  #limitMessage({ target }: RpcExchange): number {
    const method = this.findMethod(target.path);
    return method === undefined ? this.#maxRequestBytes : limitMessage(method, this.#maxRequestBytes);
  }

  /** Runs before the body is read, decompressed or parsed. */
  #refuse(exchange: RpcExchange): void {
    if (exchange.refusal !== undefined) throw this.#makeError(exchange, exchange.refusal);
  }

  #makeError({ scope }: RpcExchange, error: RouteError): ConnectError {
    return toConnectError(this.#encodeError(error, scope.context.requestId));
  }
}

/** Whether a request says, in any protocol's way, that messages are compressed. */
function isCompressed({ wire, target }: RpcExchange): boolean {
  const { headers } = wire.request;
  return (
    headers["grpc-encoding"] !== undefined ||
    headers["content-encoding"] !== undefined ||
    headers["connect-content-encoding"] !== undefined ||
    (target.httpMethod === "GET" && target.url.includes("compression="))
  );
}

/**
 * Answers a gRPC call whose JSON holds half of a surrogate pair, which no status can quote.
 * False when it is something else that went wrong.
 */
function answerBadText(error: unknown, { wire, log, scope }: RpcExchange): boolean {
  const contentType = readHeader(wire.request, "content-type");
  if (!(error instanceof URIError) || contentType === undefined || wire.headersSent) return false;
  log.setCode("INVALID_ARGUMENT");
  scope.settle();
  answerInHeaders(wire, contentType, {
    code: Code.InvalidArgument,
    message: "the message holds text that is not valid Unicode",
  });
  if (wire.isHttp2 && !wire.requestComplete) scope.linger();
  return true;
}
