import { type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import type { Logger } from "../../domain/ports.ts";
import type { EncodeMessage } from "../../service/call.ts";
import type { RpcStatus } from "../../service/encode-error.ts";
import { readHeader } from "../edge/inspect-request.ts";
import { MAX_PARTS } from "../edge/part-counter.ts";
import { describeTooLarge, describeTooManyParts } from "../edge/refusals.ts";
import type { NodeRequest } from "../edge/wire.ts";
import { BinaryParts } from "../rpc/binary-parts.ts";
import { limitMessage, READ_OPTIONS } from "../rpc/message-limit.ts";
import { nameMethod } from "../rpc/method-name.ts";
import type { RpcExchange } from "../rpc/rpc-exchange.ts";
import { describeCancel, type EncodeError } from "../rpc/server-call.ts";
import type { ServerMethod } from "../rpc/server-method.ts";
import { GrpcAnswer } from "./grpc-answer.ts";
import { GrpcCall } from "./grpc-call.ts";
import { type FramingProblem, MessageReader } from "./message-reader.ts";

/** Protobuf, whether said or not (gRPC PROTOCOL-HTTP2, Content-Type). */
const CONTENT_TYPES: ReadonlySet<string> = new Set(["application/grpc", "application/grpc+proto"]);

/** grpc/grpc doc/statuscodes.md: what a server says of a request that it cannot parse. */
const INTERNAL = 13;
const INVALID_ARGUMENT = 3;
const UNIMPLEMENTED = 12;

const PROBLEMS: Readonly<Record<Exclude<FramingProblem, "too large">, readonly [number, string]>> = {
  compressed: [INTERNAL, "the message is marked as compressed, but no grpc-encoding was given"],
  incomplete: [INVALID_ARGUMENT, "the request ended in the middle of its message"],
  none: [UNIMPLEMENTED, "the request holds no message, and this method takes one"],
  several: [UNIMPLEMENTED, "the request holds more than one message, and this method takes one"],
};

interface ServedMethod {
  readonly method: ServerMethod;
  readonly name: string;
  readonly encode: EncodeMessage;
}

/** What serving takes. */
export interface GrpcParts {
  readonly maxRequestBytes: number;
  readonly encodeError: EncodeError;
  readonly logger: Logger;
}

/**
 * Serves the plainest and most frequent form of gRPC without a library between the edge and the handler:
 * HTTP/2, protobuf, uncompressed, one message in. Everything else goes through Connect, with the
 * same handlers (docs/decisions/0006).
 */
export class GrpcListener {
  readonly #parts: GrpcParts;
  readonly #methods: ReadonlyMap<string, ServedMethod>;

  constructor(parts: GrpcParts, methods: readonly ServerMethod[]) {
    this.#parts = parts;
    this.#methods = new Map(
      methods.map((method) => {
        const name = nameMethod(method.method);
        const { output } = method.method;
        const known = method.kind === "server_streaming" ? method.encode : undefined;
        const encode = known ?? ((message: Message) => toBinary(output, message));
        return [`/${name}`, { method, name, encode }];
      }),
    );
  }

  /** Whether a call has the form that is served here. A time limit that cannot be read is for Connect to refuse. */
  takes(request: NodeRequest, path: string): boolean {
    const { headers } = request;
    return (
      CONTENT_TYPES.has(headers["content-type"] ?? "") &&
      request.method === "POST" &&
      request.httpVersionMajor === 2 &&
      headers["grpc-encoding"] === undefined &&
      headers["grpc-timeout"] === undefined &&
      this.#methods.has(path)
    );
  }

  /** Serves one call. Never throws. */
  serve(exchange: RpcExchange): void {
    const served = this.#methods.get(exchange.target.path);
    if (served === undefined) throw new Error("a method that is not here was to be served");
    const { wire, scope, log, refusal } = exchange;
    const { encodeError, logger } = this.#parts;
    const { method } = served.method;
    const answer = new GrpcAnswer(exchange, readHeader(wire.request, "content-type") ?? "");
    const parts = { scope, log, method: served.name, encodeError, logger };
    const call = new GrpcCall(parts, exchange, answer, served.encode);
    if (refusal !== undefined) {
      call.fail(refusal);
      return;
    }
    const maxBytes = limitMessage(method, this.#parts.maxRequestBytes);
    this.#readMessage(exchange, call, maxBytes, (bytes) => {
      // Each part takes two bytes or more, so most requests need no counting.
      if (bytes.length > 2 * MAX_PARTS && !new BinaryParts(method.input).accept(bytes)) {
        return call.fail(describeTooManyParts());
      }
      const request = parse(method.input, bytes);
      if (request === undefined) {
        call.failWithStatus(makeStatus(INTERNAL, `the request is not a valid ${method.input.typeName}`));
      } else {
        call.guard(() => served.method.handle(request, call));
      }
    });
  }

  /** Reads the one message of a call; whatever stops that ends the call. */
  #readMessage(
    { wire, scope, meter }: RpcExchange,
    call: GrpcCall,
    maxBytes: number,
    done: (bytes: Uint8Array) => void,
  ): void {
    const { request } = wire;
    const reader = new MessageReader(maxBytes);
    let isReading = true;
    const stop = (): void => {
      isReading = false;
      stopListening();
      meter.finish();
    };
    const refuse = (problem: FramingProblem): void => {
      stop();
      if (problem === "too large") call.fail(describeTooLarge(maxBytes));
      else call.failWithStatus(makeStatus(...PROBLEMS[problem]));
    };
    const stopListening = scope.onCancel((cause) => {
      stop();
      call.fail(describeCancel(cause));
    });
    meter.expect(scope.context.arrivedMs, (error) => {
      if (!isReading) return;
      stop();
      call.fail(error);
    });
    request.on("data", (chunk: Buffer) => {
      if (!isReading) return;
      const problem = reader.accept(chunk);
      if (problem !== undefined) return refuse(problem);
      const error = meter.receive(chunk.byteLength);
      if (error === undefined) return;
      stop();
      call.fail(error);
    });
    request.once("end", () => {
      if (!isReading) return;
      const message = reader.finish();
      if (typeof message === "string") return refuse(message);
      stop();
      done(message);
    });
  }
}

function parse(desc: DescMessage, bytes: Uint8Array): Message | undefined {
  try {
    return fromBinary(desc, bytes, READ_OPTIONS);
  } catch {
    return undefined;
  }
}

function makeStatus(code: number, message: string): RpcStatus {
  return { code, message, details: [], trailers: {} };
}
