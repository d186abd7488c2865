import type { Logger } from "../../domain/ports.ts";
import type { CallScope } from "./call-scope.ts";
import type { LogBrake } from "./log-brake.ts";

/** What the access log says of a call, gathered while it runs. */
export class CallLog {
  readonly #logger: Logger;
  readonly #method: string;
  readonly #protocol: string;
  readonly #brake: LogBrake | undefined;
  /** The final status, a gRPC code's name. The first one counts. */
  #code: string | undefined;
  /** The status of an answer that is not RPC. */
  httpStatus: number | undefined;

  /** With a brake not every call has its line. */
  constructor(logger: Logger, method: string, protocol: string, brake?: LogBrake) {
    this.#logger = logger;
    this.#method = method;
    this.#protocol = protocol;
    this.#brake = brake;
  }

  setCode(code: string): void {
    this.#code ??= code;
  }

  /**
   * Takes the status that the answer really carries. It differs from the handler's OK
   * only where the answer could not be encoded, which is a bug.
   */
  observeCode(code: string, requestId: string): void {
    if (this.#code === "OK" && code !== "OK") {
      this.#logger.error("an answer could not be encoded", { requestId, method: this.#method, code });
      this.#code = code;
    }
    this.#code ??= code;
  }

  /** Writes the one line of the call. Never metadata or bodies. */
  write(scope: CallScope, nowMs: number, whole: boolean): void {
    const skippedCount = this.#brake === undefined ? 0 : this.#brake.take(nowMs);
    if (skippedCount === undefined) return;
    const { requestId, peer, arrivedMs, traceparent, caller } = scope.context;
    const code = whole ? this.#code : codeOfBrokenCall(scope, this.#code);
    this.#logger.info("call", {
      requestId,
      method: this.#method,
      protocol: this.#protocol,
      peer,
      durationMs: Math.round((nowMs - arrivedMs) * 1_000) / 1_000,
      ...(caller === undefined ? {} : { caller: caller.name, credential: caller.credential }),
      ...(code === undefined ? {} : { code }),
      ...(this.httpStatus === undefined ? {} : { httpStatus: this.httpStatus }),
      ...(traceparent === undefined ? {} : { traceId: traceparent.slice(3, 35) }),
      ...(skippedCount > 0 && { count: skippedCount }),
    });
  }
}

/** A call whose answer did not go out whole: an answer of OK is not what its caller got. */
function codeOfBrokenCall(scope: CallScope, code: string | undefined): string {
  if (scope.cancelled === "deadline") return "DEADLINE_EXCEEDED";
  return code === undefined || code === "OK" ? "CANCELLED" : code;
}
