import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { describeCancel, type EncodeError } from "../rpc/server-call.ts";
import { toConnectError } from "./connect-error.ts";
import { takeExchange } from "./connect-listener.ts";

/** What a method that sits on Connect itself knows of its call beside what Connect tells it. */
export interface ExtraCall {
  readonly requestId: string;
  /** The remote address and port. */
  readonly peer: string;
  /** When the call must be over, on the Clock. */
  readonly deadlineMs: number;
  /** The time limit that the caller gave, cut to the server's; undefined when it gave none. */
  readonly callerTimeoutMs: number | undefined;
  /** Aborts when the call must stop before its end; the reason is the ConnectError to end it with. */
  readonly signal: AbortSignal;
}

/**
 * Registers methods on Connect itself: those that stream from the caller, which `RpcMethod`
 * does not have. The edge guards them as all others; `describe` tells a handler of its call.
 */
export type ExtraRoutes = (router: ConnectRouter, describe: (context: HandlerContext) => ExtraCall) => void;

/** Describes the call that a handler of an extra route serves. */
export function describeExtraCall(context: HandlerContext, encodeError: EncodeError): ExtraCall {
  const { scope, callerTimeoutMs } = takeExchange(context);
  const { requestId, peer } = scope.context;
  const stop = new AbortController();
  scope.onCancel((cause) => stop.abort(toConnectError(encodeError(describeCancel(cause), requestId))));
  return { requestId, peer, deadlineMs: scope.deadlineMs, callerTimeoutMs, signal: stop.signal };
}
