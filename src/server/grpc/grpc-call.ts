import type { Message } from "@bufbuild/protobuf";
import type { EncodeMessage } from "../../service/call.ts";
import type { RpcStatus } from "../../service/encode-error.ts";
import type { RpcExchange } from "../rpc/rpc-exchange.ts";
import {
  type CallMetadata,
  type CallParts,
  ServerCall,
  type ServerStreamCall,
  type ServerUnaryCall,
} from "../rpc/server-call.ts";
import { encodeFrames } from "./encode-frames.ts";
import type { GrpcAnswer } from "./grpc-answer.ts";

/** A call whose answer goes straight to the wire, of either kind. */
export class GrpcCall extends ServerCall implements ServerUnaryCall, ServerStreamCall {
  readonly #exchange: RpcExchange;
  readonly #answer: GrpcAnswer;
  readonly #encodeMessage: EncodeMessage;

  constructor(parts: CallParts, exchange: RpcExchange, answer: GrpcAnswer, encode: EncodeMessage) {
    super(parts);
    this.#exchange = exchange;
    this.#answer = answer;
    this.#encodeMessage = encode;
    // What a handler still says to a caller that has gone is dropped.
    exchange.scope.onClose(() => this.settle("CANCELLED"));
  }

  get metadata(): CallMetadata {
    const { wire, callerTimeoutMs } = this.#exchange;
    return {
      requestHeaders: listHeaders(wire.request.rawHeaders),
      callerTimeoutMs,
      addHeader: (name, value) => this.#answer.addHeader(name, value),
      addTrailer: (name, value) => this.#answer.addTrailer(name, value),
    };
  }

  respond(response: Message): void {
    // Encoded first: a message that cannot be is not an OK.
    const frames = this.#encode([response]);
    if (frames === undefined || !this.settle("OK")) return;
    this.#answer.write(frames);
    this.#answer.end(undefined);
  }

  write(batch: readonly Message[]): boolean {
    const frames = this.#encode(batch);
    return frames === undefined || this.#answer.write(frames);
  }

  onDrain(fn: () => void): void {
    this.#exchange.wire.onDrain(() => {
      if (!this.ended) this.guard(fn);
    });
  }

  end(): void {
    if (this.settle("OK")) this.#answer.end(undefined);
  }

  /** Undefined once the call has ended, which it does when a message cannot be encoded. */
  #encode(messages: readonly Message[]): Buffer | undefined {
    if (this.ended) return undefined;
    let frames: Buffer | undefined;
    this.guard(() => {
      frames = encodeFrames(this.#encodeMessage, messages);
    }, "an answer could not be encoded");
    return frames;
  }

  protected deliver(status: RpcStatus): void {
    this.#answer.end(status);
  }
}

function listHeaders(rawHeaders: readonly string[]): (readonly [string, string])[] {
  const headers: (readonly [string, string])[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (!name.startsWith(":")) headers.push([name.toLowerCase(), rawHeaders[index + 1] ?? ""]);
  }
  return headers;
}
