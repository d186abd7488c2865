import { ERRORS, type RouteError } from "../../domain/errors.ts";
import type { Cleanup, Logger } from "../../domain/ports.ts";
import type { Call, CancelCause, StreamCall, UnaryCall } from "../../service/call.ts";
import type { RpcStatus } from "../../service/encode-error.ts";
import type { CallLog } from "../edge/call-log.ts";
import type { CallScope } from "../edge/call-scope.ts";
import { describeError } from "../edge/describe-error.ts";
import { describeDraining } from "../edge/refusals.ts";
import { nameRpcCode } from "./rpc-code.ts";

/** A call whose handler may end it with a status of another protocol than ours, such as health's. */
export interface StatusCall {
  /** Ends the call with this status. */
  failWithStatus(status: RpcStatus): void;
}

/** What a call carries beside messages. */
export interface CallMetadata {
  /** Of the request, in the order they came; names in lower case, binary values as they are on the wire. */
  readonly requestHeaders: Iterable<readonly [name: string, value: string]>;
  /** The time limit that the caller gave, cut to the server's; undefined when it gave none. */
  readonly callerTimeoutMs: number | undefined;
  /** Adds to the headers of the answer; too late after its first message. */
  addHeader(name: string, value: string): void;
  /** Adds to the trailers of the answer; too late after its end. */
  addTrailer(name: string, value: string): void;
}

/** A call whose handler may see and set metadata. */
export interface MetadataCall {
  readonly metadata: CallMetadata;
}

export type ServerUnaryCall = UnaryCall & StatusCall & MetadataCall;
export type ServerStreamCall = StreamCall & StatusCall & MetadataCall;

/** How an error of ours goes over the wire. */
export type EncodeError = (error: RouteError, requestId: string) => RpcStatus;

/** What a call needs of the server. */
export interface CallParts {
  readonly scope: CallScope;
  readonly log: CallLog;
  readonly method: string;
  readonly encodeError: EncodeError;
  readonly logger: Logger;
}

/** What calls have in common, whoever speaks their protocol. `deliver` sends the status of a failed call on its way. */
export abstract class ServerCall implements Call, StatusCall, MetadataCall {
  readonly method: string;
  readonly requestId: string;
  readonly traceparent: string | undefined;
  readonly peer: string;
  readonly arrivedMs: number;
  readonly deadlineMs: number;
  readonly #scope: CallScope;
  readonly #log: CallLog;
  readonly #encodeError: EncodeError;
  readonly #logger: Logger;
  #ended = false;

  constructor(parts: CallParts) {
    const { scope } = parts;
    this.method = parts.method;
    this.requestId = scope.context.requestId;
    this.traceparent = scope.context.traceparent;
    this.peer = scope.context.peer;
    this.arrivedMs = scope.context.arrivedMs;
    this.deadlineMs = scope.deadlineMs;
    this.#scope = scope;
    this.#log = parts.log;
    this.#encodeError = parts.encodeError;
    this.#logger = parts.logger;
    scope.onOverdue((cause) => this.fail(describeCancel(cause)));
  }

  get cancelled(): CancelCause | undefined {
    return this.#scope.cancelled;
  }

  onCancel(fn: (cause: CancelCause) => void): Cleanup {
    return this.#scope.onCancel((cause) => this.guard(() => fn(cause)));
  }

  /** Runs the handler's code. Code that throws has a bug: the caller learns the request id, the log the rest. */
  guard(run: () => void, bug = "a handler threw"): void {
    try {
      run();
    } catch (error) {
      this.#logger.error(bug, {
        requestId: this.requestId,
        method: this.method,
        error: describeError(error),
      });
      this.fail({
        reason: "INTERNAL",
        message: `internal error; request id ${this.requestId} finds it in the logs`,
        metadata: { requestId: this.requestId },
      });
    }
  }

  fail(error: RouteError): void {
    if (!this.settle(ERRORS[error.reason].code)) return;
    this.deliver(this.#encodeError(error, this.requestId));
  }

  failWithStatus(status: RpcStatus): void {
    if (this.settle(nameRpcCode(status.code))) this.deliver(status);
  }

  abstract readonly metadata: CallMetadata;

  protected abstract deliver(status: RpcStatus): void;

  /** Whether the handler has ended the call. */
  protected get ended(): boolean {
    return this.#ended;
  }

  /** Marks the end. False when the call has ended before: what comes after the end is dropped. */
  protected settle(code: string): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#log.setCode(code);
    this.#scope.settle();
    return true;
  }
}

/** The error of a call that was told to stop and whose handler said nothing better. */
export function describeCancel(cause: CancelCause): RouteError {
  switch (cause) {
    case "caller_gone":
      return { reason: "CANCELLED", message: "the caller left" };
    case "deadline":
      return { reason: "DEADLINE_EXCEEDED", message: "the deadline passed" };
    case "shutdown":
      return describeDraining();
  }
}
