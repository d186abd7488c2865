import type { RouteError } from "../../domain/errors.ts";
import type { BodyMeter } from "../edge/body-meter.ts";
import type { CallLog } from "../edge/call-log.ts";
import type { CallScope } from "../edge/call-scope.ts";
import type { RequestTarget } from "../edge/inspect-request.ts";
import type { Wire } from "../edge/wire.ts";

/** One RPC on its way from the edge to its handler. */
export interface RpcExchange {
  readonly wire: Wire;
  readonly scope: CallScope;
  readonly log: CallLog;
  readonly meter: BodyMeter;
  readonly target: RequestTarget;
  /** The time limit that the caller gave, cut to the server's; undefined when it gave none. */
  readonly callerTimeoutMs: number | undefined;
  /** Why the edge refuses the call before its body is read. */
  readonly refusal: RouteError | undefined;
}
