import { Code, ConnectError } from "@connectrpc/connect";
import type { CancelCause } from "../../service/call.ts";
import type { RpcStatus } from "../../service/encode-error.ts";

/** Puts a status into the form that Connect sends, in whichever protocol the caller speaks. */
export function toConnectError(status: RpcStatus): ConnectError {
  return new ConnectError(
    // Half of a surrogate pair cannot be encoded, and Connect throws on it.
    status.message.toWellFormed(),
    status.code,
    { ...status.trailers },
    status.details.map(({ desc, value }) => ({ desc, value })),
  );
}

/** The error of a call that its caller left; it ends Connect's work and goes nowhere. */
export function makeCallerGoneError(): ConnectError {
  return new ConnectError("the caller left", Code.Canceled);
}

/** What ends a call that was told to stop. */
export type CancelEncoder = (cause: Exclude<CancelCause, "caller_gone">) => RpcStatus;
