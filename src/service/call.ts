/**
 * What a handler knows of the call it serves. Nothing here belongs to one
 * transport: plain gRPC and Connect serve the same handlers. Handlers are called
 * once, never throw, and end each call exactly once.
 */

import type { DescMethodServerStreaming, DescMethodUnary, Message, MessageShape } from "@bufbuild/protobuf";
import type { Caller } from "../domain/caller.ts";
import type { RouteError } from "../domain/errors.ts";
import type { Cleanup } from "../domain/ports.ts";

/** Why a call must stop before its end. */
export type CancelCause = "caller_gone" | "deadline" | "shutdown";

/** What the edge found out about a request before anything else looked at it. */
export interface EdgeContext {
  /** The caller's `x-request-id` where it is 1 to 128 characters of [A-Za-z0-9._:-], else a new one. */
  readonly requestId: string;
  /** The caller's W3C `traceparent` where it is valid. */
  readonly traceparent: string | undefined;
  /** The remote address and port. */
  readonly peer: string;
  /** When the request arrived, on the Clock. */
  readonly arrivedMs: number;
  /** Who calls; undefined where nobody asked: without `auth`, and for methods open to anyone. */
  readonly caller?: Caller | undefined;
}

/** A call under way. */
export interface Call extends EdgeContext {
  /** The full name, for example `sluice.v1.RouterService/Generate`. */
  readonly method: string;
  /** When the call must be over, on the Clock. Always set: the server's limit where the caller gave none. */
  readonly deadlineMs: number;
  /** The reason this call must stop, or undefined while it may go on. */
  readonly cancelled: CancelCause | undefined;
  /**
   * Calls `fn` once when the call must stop before its end (at once if it already
   * must). Never after a normal end. After `deadline` and `shutdown` the handler
   * still ends the call with `fail`.
   */
  onCancel(fn: (cause: CancelCause) => void): Cleanup;
  /** Ends the call with an error. */
  fail(error: RouteError): void;
}

/** A call with one answer. */
export interface UnaryCall<Response extends Message = Message> extends Call {
  /** Ends the call with its answer. */
  respond(response: Response): void;
}

/** A call with a stream of answers. */
export interface StreamCall<Response extends Message = Message> extends Call {
  /**
   * Sends messages in order; takes the array over. Returns false when the caller
   * reads too slowly: stop writing until `onDrain` fires. What was given is sent anyway.
   */
  write(batch: readonly Response[]): boolean;
  /** Sets what to call, each time there is room again after `write` returned false. */
  onDrain(fn: () => void): void;
  /** Ends the stream well. */
  end(): void;
}

/** A method and the code that serves it. */
export type RpcMethod =
  | {
      readonly kind: "unary";
      readonly method: DescMethodUnary;
      handle(request: Message, call: UnaryCall): void;
    }
  | {
      readonly kind: "server_streaming";
      readonly method: DescMethodServerStreaming;
      handle(request: Message, call: StreamCall): void;
      readonly encode?: EncodeMessage | undefined;
    };

/** The bytes of a message, the same that protobuf-es makes, by code that knows its type. */
export type EncodeMessage = (message: Message) => Uint8Array;

/** Pairs a unary method with its handler; the compiler checks both message types. */
export function unary<M extends DescMethodUnary>(
  method: M,
  handle: (request: MessageShape<M["input"]>, call: UnaryCall<MessageShape<M["output"]>>) => void,
): RpcMethod {
  return { kind: "unary", method, handle: handle as (request: Message, call: UnaryCall) => void };
}

/** Pairs a server-streaming method with its handler; the compiler checks both message types. */
export function serverStreaming<M extends DescMethodServerStreaming>(
  method: M,
  handle: (request: MessageShape<M["input"]>, call: StreamCall<MessageShape<M["output"]>>) => void,
  encode?: (message: MessageShape<M["output"]>) => Uint8Array,
): RpcMethod {
  return {
    kind: "server_streaming",
    method,
    handle: handle as (request: Message, call: StreamCall) => void,
    encode: encode as EncodeMessage | undefined,
  };
}
