import type { ServerConfig } from "../../config/config.ts";
import type { Clock, Logger } from "../../domain/ports.ts";
import type { EdgeContext } from "../../service/call.ts";
import type { HttpDoor } from "../../service/http-exchange.ts";
import { nameMethod } from "../connect/method-name.ts";
import type { EarlyRefusal, RpcListener } from "../connect/rpc-listener.ts";
import { answerProblem } from "../door/answer-problem.ts";
import { NodeHttpExchange } from "../door/node-http-exchange.ts";
import { CallLog } from "./call-log.ts";
import { CallScope } from "./call-scope.ts";
import { nameTimeoutHeader, parseCallerTimeout } from "./caller-timeout.ts";
import type { CallsUnderWay } from "./calls-under-way.ts";
import { describeError } from "./describe-error.ts";
import { inspectRequest, type RequestTarget, readHeader } from "./inspect-request.ts";
import { formatPeer } from "./peer-address.ts";
import { chooseRequestId } from "./request-id.ts";
import { detectRpcProtocol, type RpcProtocol } from "./rpc-protocol.ts";
import { validateTraceparent } from "./traceparent.ts";
import { type NodeRequest, type NodeResponse, Wire } from "./wire.ts";

/** What the edge hands requests to, and what it needs to judge them. */
export interface EdgeParts {
  readonly config: ServerConfig;
  readonly rpcs: RpcListener;
  readonly doors: readonly HttpDoor[];
  /** Full names of streaming methods that end only when the caller or the server wants it. */
  readonly endlessMethods: ReadonlySet<string>;
  readonly calls: CallsUnderWay;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A message's prefix in gRPC and in Connect's streams. */
const PREFIX_BYTES = 5;

/**
 * The outermost listener: every request passes here before anything else sees it.
 * Decides what a request is, gives it a scope, and hands it on.
 */
export class EdgeListener {
  readonly #parts: EdgeParts;

  constructor(parts: EdgeParts) {
    this.#parts = parts;
  }

  /** Takes one request. Never throws: an exception here would end the process. */
  listen(request: NodeRequest, response: NodeResponse): void {
    const wire = new Wire(request, response);
    const context: EdgeContext = {
      requestId: chooseRequestId(readHeader(request, "x-request-id")),
      traceparent: validateTraceparent(readHeader(request, "traceparent")),
      peer: formatPeer(request.socket),
      arrivedMs: this.#parts.clock.nowMs(),
    };
    try {
      wire.lastOnConnection = this.#parts.calls.refusing;
      wire.setHeader("x-request-id", context.requestId);
      this.#dispatch(wire, context);
    } catch (error) {
      this.#parts.logger.error("a request could not be served", {
        requestId: context.requestId,
        error: describeError(error),
      });
      if (wire.headersSent) wire.abort();
      else answerProblem(wire, 500, "INTERNAL", "internal error");
    }
  }

  #dispatch(wire: Wire, context: EdgeContext): void {
    const { config, rpcs, doors } = this.#parts;
    const target = inspectRequest(wire.request, {
      maxHeaderBytes: config.maxHeaderBytes,
      scheme: config.tls === undefined ? "http" : "https",
    });
    if ("status" in target) {
      this.#refuse(wire, context, target.status, "INVALID_REQUEST", target.message);
      return;
    }
    const method = rpcs.findMethod(target.path);
    if (method !== undefined) {
      const streaming = method.methodKind !== "unary";
      this.#serveRpc(wire, context, target, { name: nameMethod(method), streaming });
      return;
    }
    const door = doors.find((candidate) => candidate.serves(target.path));
    if (door !== undefined) this.#serveDoor(wire, context, target, door);
    else this.#refuse(wire, context, 404, "NOT_FOUND", "nothing is served at this path");
  }

  #serveRpc(
    wire: Wire,
    context: EdgeContext,
    target: RequestTarget,
    method: { readonly name: string; readonly streaming: boolean },
  ): void {
    const { config, rpcs } = this.#parts;
    const protocol = detectRpcProtocol(readHeader(wire.request, "content-type"));
    const timeoutMs = this.#takeTimeout(wire.request, protocol, method.streaming);
    const log = new CallLog(this.#parts.logger, method.name, protocol);
    const scope = this.#open(wire, context, log, timeoutMs, this.#parts.endlessMethods.has(method.name));
    const length = Number(readHeader(wire.request, "content-length") ?? 0);
    let refusal: EarlyRefusal | undefined;
    if (this.#parts.calls.refusing) refusal = "draining";
    else if (length > config.maxRequestBytes + PREFIX_BYTES) refusal = "too_large";
    void rpcs.serve({ wire, scope, log, target, refusal });
  }

  #serveDoor(wire: Wire, context: EdgeContext, target: RequestTarget, door: HttpDoor): void {
    const { config, calls, logger } = this.#parts;
    if (calls.refusing) {
      this.#refuse(wire, context, 503, "DRAINING", "this replica is shutting down; try again");
      return;
    }
    const log = new CallLog(logger, `${target.httpMethod} ${target.path}`.slice(0, 256), "http");
    const scope = this.#open(wire, context, log, config.defaultStreamTimeoutMs, false);
    const exchange = new NodeHttpExchange({
      wire,
      scope,
      log,
      target,
      maxRequestBytes: config.maxRequestBytes,
      logger,
    });
    exchange.guard(() => door.handle(exchange));
  }

  /**
   * The call's time limit. The header is taken away where it is valid, since our
   * own clock keeps the deadline; an invalid one stays, for Connect to refuse in the caller's protocol.
   */
  #takeTimeout(request: NodeRequest, protocol: RpcProtocol, streaming: boolean): number {
    const { config } = this.#parts;
    const header = nameTimeoutHeader(protocol);
    const timeout = parseCallerTimeout(protocol, readHeader(request, header), config.maxTimeoutMs);
    if (timeout.kind === "given") {
      delete request.headers[header];
      return timeout.timeoutMs;
    }
    return streaming ? config.defaultStreamTimeoutMs : config.defaultTimeoutMs;
  }

  #open(wire: Wire, context: EdgeContext, log: CallLog, timeoutMs: number, endless: boolean): CallScope {
    const { calls, clock } = this.#parts;
    let whole = false;
    const scope = new CallScope(
      clock,
      context,
      { deadlineMs: context.arrivedMs + timeoutMs, endless },
      {
        abort: () => wire.abort(),
        closed: () => {
          calls.remove(scope);
          log.write(scope, clock.nowMs(), whole);
        },
      },
    );
    calls.add(scope);
    wire.onClose((isWhole) => {
      whole = isWhole;
      scope.close();
    });
    return scope;
  }

  #refuse(wire: Wire, context: EdgeContext, httpStatus: number, reason: string, message: string): void {
    const { requestId, peer } = context;
    this.#parts.logger.info("refused", { requestId, peer, httpStatus, reason, error: message });
    answerProblem(wire, httpStatus, reason, message);
  }
}
