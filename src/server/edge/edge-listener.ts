import type { Socket } from "node:net";
import type { DescMethod } from "@bufbuild/protobuf";
import type { ServerConfig } from "../../config/config.ts";
import type { RouteError } from "../../domain/errors.ts";
import type { Clock, LogFields, Logger } from "../../domain/ports.ts";
import type { EdgeContext } from "../../service/call.ts";
import type { HttpDoor } from "../../service/http-exchange.ts";
import { answerProblem } from "../door/answer-problem.ts";
import { NodeHttpExchange } from "../door/node-http-exchange.ts";
import { answerUnimplemented } from "../rpc/answer-unimplemented.ts";
import { nameMethod } from "../rpc/method-name.ts";
import type { RpcListener } from "../rpc/rpc-listener.ts";
import type { Admission, EdgeRequest } from "./admission.ts";
import { BodyMeter } from "./body-meter.ts";
import { CallLog } from "./call-log.ts";
import { CallScope, LINGER_MS, type ScopeTerms } from "./call-scope.ts";
import { CallWatch } from "./call-watch.ts";
import { nameTimeoutHeader, parseCallerTimeout } from "./caller-timeout.ts";
import type { CallsUnderWay } from "./calls-under-way.ts";
import type { ConnectionAges } from "./connection-age.ts";
import type { CorsPolicy } from "./cors.ts";
import { describeError } from "./describe-error.ts";
import { type HttpRefusal, inspectRequest, type RequestTarget, readHeader } from "./inspect-request.ts";
import { LogBrake } from "./log-brake.ts";
import { formatPeer } from "./peer-address.ts";
import { readPeerCertificate } from "./peer-certificate.ts";
import { describeDraining, describeNoRoom, describeTooLarge } from "./refusals.ts";
import { chooseRequestId } from "./request-id.ts";
import { RequestMemory } from "./request-memory.ts";
import { detectRpcProtocol, type RpcProtocol } from "./rpc-protocol.ts";
import type { SiteGuard } from "./site-guard.ts";
import { validateTraceparent } from "./traceparent.ts";
import { type NodeRequest, type NodeResponse, Wire } from "./wire.ts";

/** What the edge hands requests to, and what it needs to judge them. */
export interface EdgeParts {
  readonly config: ServerConfig;
  readonly rpcs: RpcListener;
  readonly doors: readonly HttpDoor[];
  /** Full names of streaming methods that end only when the caller or the server wants it. */
  readonly endlessMethods: ReadonlySet<string>;
  readonly admission: Admission;
  readonly cors: CorsPolicy;
  readonly guard: SiteGuard;
  readonly calls: CallsUnderWay;
  readonly ages: ConnectionAges;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What the admission said of a request. */
interface Admitted {
  /** With the caller, where that is known. */
  readonly context: EdgeContext;
  readonly error: RouteError | undefined;
}

/** A message's prefix in gRPC and in Connect's streams. */
const PREFIX_BYTES = 5;

/** One watch of nobody's for so many bytes of the memory for all requests: all of them together take a small part of it. */
const BYTES_PER_WATCH = 128 * 1024;

/**
 * The outermost listener: every request passes here before anything else sees it.
 * Decides what a request is, gives it a scope, and hands it on.
 */
export class EdgeListener {
  readonly #parts: EdgeParts;
  readonly #memory: RequestMemory;
  readonly #watch: CallWatch;
  /** One brake for each kind of line that callers without a credential can cause, so that none hides another. */
  readonly #brakes: {
    readonly notAdmitted: LogBrake;
    readonly strangers: LogBrake;
    readonly refused: LogBrake;
  };
  /** HTTP/1.1 requests under way on each connection: a caller may send many before it has an answer. */
  readonly #pipelined = new WeakMap<Socket, Set<Wire>>();

  /** Calls without an end whose caller is unknown. */
  #watchCount = 0;

  constructor(parts: EdgeParts) {
    this.#parts = parts;
    this.#memory = new RequestMemory(parts.config.limits.maxRequestMemoryBytes);
    this.#watch = new CallWatch(parts.clock, parts.config.limits.writeStallTimeoutMs);
    const nowMs = parts.clock.nowMs();
    this.#brakes = {
      notAdmitted: new LogBrake(nowMs),
      strangers: new LogBrake(nowMs),
      refused: new LogBrake(nowMs),
    };
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
      if (!wire.isHttp2 && !this.#countPipelined(wire)) return;
      wire.lastOnConnection =
        this.#parts.calls.refusing ||
        this.#parts.ages.isOver(request.socket, context.arrivedMs) ||
        // Node's parser drops what comes right behind these: later answers would be taken for those of
        // requests that were lost.
        readHeader(request, "upgrade") !== undefined;
      wire.setHeader("x-request-id", context.requestId);
      if (!this.#answerPreflight(wire)) this.#dispatch(wire, context);
    } catch (error) {
      this.#parts.logger.error("a request could not be served", {
        requestId: context.requestId,
        error: describeError(error),
      });
      if (wire.headersSent) wire.abort();
      else answerProblem(wire, 500, "INTERNAL", "internal error");
    }
  }

  /** False, with the connection closed, when the caller sent more than it may before it has answers. */
  #countPipelined(wire: Wire): boolean {
    const { socket } = wire.request;
    let wires = this.#pipelined.get(socket);
    if (wires === undefined) {
      const open = new Set<Wire>();
      socket.once("close", () => {
        for (const each of [...open]) each.close();
      });
      this.#pipelined.set(socket, open);
      wires = open;
    }
    if (wires.size >= this.#parts.config.limits.maxPipelinedCount) {
      socket.destroy();
      return false;
    }
    wires.add(wire);
    wire.onClose(() => wires.delete(wire));
    return true;
  }

  /** Tells browsers what they may do (Fetch standard, CORS protocol). True when that was all they asked. */
  #answerPreflight(wire: Wire): boolean {
    const { headers, preflight } = this.#parts.cors.answer({
      httpMethod: wire.request.method ?? "",
      origin: readHeader(wire.request, "origin"),
      requestedMethod: readHeader(wire.request, "access-control-request-method"),
    });
    for (const [name, value] of Object.entries(headers)) wire.setHeader(name, value);
    if (preflight === undefined) return false;
    wire.writeHead(preflight === "allowed" ? 204 : 403, {});
    wire.end();
    this.#endSoon(wire);
    return true;
  }

  #dispatch(wire: Wire, context: EdgeContext): void {
    const { rpcs, doors } = this.#parts;
    const target = this.#inspect(wire.request);
    if ("status" in target) {
      const reason = target.status === 403 ? "PERMISSION_DENIED" : "INVALID_REQUEST";
      this.#refuse(wire, context, target.status, reason, target.message);
      return;
    }
    const method = rpcs.findMethod(target.path);
    if (method !== undefined) {
      this.#serveRpc(wire, context, target, method);
      return;
    }
    const door = doors.find((candidate) => candidate.serves(target.path));
    if (door !== undefined) this.#serveDoor(wire, context, target, door);
    else this.#refuseUnknown(wire, context, target);
  }

  #inspect(request: NodeRequest): RequestTarget | HttpRefusal {
    const { config, guard } = this.#parts;
    const target = inspectRequest(request, {
      maxHeaderBytes: config.maxHeaderBytes,
      scheme: config.tls === undefined ? "http" : "https",
    });
    if ("status" in target) return target;
    return guard.findRefusal(target.authority, readHeader(request, "origin")) ?? target;
  }

  #refuseUnknown(wire: Wire, context: EdgeContext, target: RequestTarget): void {
    const { requestId, peer } = context;
    if (answerUnimplemented(wire, target.path, readHeader(wire.request, "content-type"))) {
      this.#logRefusal({ requestId, peer, code: "UNIMPLEMENTED" });
      this.#endSoon(wire);
    } else {
      this.#refuse(wire, context, 404, "NOT_FOUND", "nothing is served at this path");
    }
  }

  #serveRpc(wire: Wire, context: EdgeContext, target: RequestTarget, method: DescMethod): void {
    const { rpcs, logger, endlessMethods } = this.#parts;
    const name = nameMethod(method);
    const protocol = detectRpcProtocol(readHeader(wire.request, "content-type"));
    const admission = this.#admit(wire.request, context, method);
    const callerTimeoutMs = this.#takeTimeout(wire.request, protocol);
    const log = new CallLog(logger, name, protocol, this.#findBrake(admission));
    const meter = new BodyMeter(
      this.#memory,
      takesOneMessage(method) ? this.#parts.config.limits : undefined,
    );
    const scope = this.#open(wire, admission.context, log, meter, {
      deadlineMs: context.arrivedMs + (callerTimeoutMs ?? this.#defaultTimeoutMs(method)),
      endless: endlessMethods.has(name),
    });
    const refusal =
      this.#findRefusal(wire.request, method) ??
      admission.error ??
      (scope.endless && admission.context.caller === undefined ? this.#takeWatch(scope) : undefined) ??
      meter.open();
    rpcs.serve({ wire, scope, log, meter, target, callerTimeoutMs, refusal });
  }

  #serveDoor(wire: Wire, context: EdgeContext, target: RequestTarget, door: HttpDoor): void {
    const { config, calls, logger } = this.#parts;
    if (calls.refusing) {
      this.#refuse(wire, context, 503, "DRAINING", "this replica is shutting down; try again");
      return;
    }
    const admission = this.#admit(wire.request, context, { path: target.path });
    const name = `${target.httpMethod} ${target.path}`.slice(0, 256);
    const log = new CallLog(logger, name, "http", this.#findBrake(admission));
    const meter = new BodyMeter(this.#memory, this.#parts.config.limits);
    const scope = this.#open(wire, admission.context, log, meter, {
      deadlineMs: context.arrivedMs + config.defaultStreamTimeoutMs,
      endless: false,
    });
    const exchange = new NodeHttpExchange({
      wire,
      scope,
      log,
      meter,
      target,
      maxRequestBytes: config.maxRequestBytes,
      logger,
    });
    const refusal = admission.error ?? meter.open();
    if (refusal === undefined) exchange.guard(() => door.handle(exchange));
    else exchange.refuse(refusal);
  }

  /** Calls of nobody that are not admitted have not each a line. */
  #findBrake({ context, error }: Admitted): LogBrake | undefined {
    return error !== undefined && context.caller === undefined ? this.#brakes.strangers : undefined;
  }

  /** Asks the admission; a refusal and its reason go to the log, and the caller into the context. */
  #admit(request: NodeRequest, context: EdgeContext, target: EdgeRequest["target"]): Admitted {
    const { admission, logger, clock } = this.#parts;
    const answer = admission.admit({
      authorization: readHeader(request, "authorization"),
      certificate: readPeerCertificate(request, clock.wallMs()),
      target,
    });
    if (answer.ok) return { context: { ...context, caller: answer.caller }, error: undefined };
    const { requestId, peer } = context;
    const skippedCount = this.#brakes.notAdmitted.take(clock.nowMs());
    if (skippedCount !== undefined) {
      const skipped = skippedCount > 0 && { count: skippedCount };
      logger.warn("not admitted", {
        requestId,
        peer,
        reason: answer.error.reason,
        error: answer.why,
        ...skipped,
      });
    }
    return { context: { ...context, caller: answer.caller }, error: answer.error };
  }

  #findRefusal(request: NodeRequest, method: DescMethod): RouteError | undefined {
    const { calls, config } = this.#parts;
    if (calls.refusing) return describeDraining();
    // The limit is one message's; callers that stream send several.
    const length = Number(readHeader(request, "content-length") ?? 0);
    if (takesOneMessage(method) && length > config.maxRequestBytes + PREFIX_BYTES) {
      return describeTooLarge(config.maxRequestBytes);
    }
    return undefined;
  }

  /** Anybody may watch a server's health for long: those who do must not keep out those who call. */
  #takeWatch(scope: CallScope): RouteError | undefined {
    const maxCount = Math.ceil(this.#parts.config.limits.maxRequestMemoryBytes / BYTES_PER_WATCH);
    if (this.#watchCount >= maxCount) return describeNoRoom();
    this.#watchCount++;
    scope.onClose(() => this.#watchCount--);
    return undefined;
  }

  #defaultTimeoutMs(method: DescMethod): number {
    const { defaultTimeoutMs, defaultStreamTimeoutMs } = this.#parts.config;
    return method.methodKind === "unary" ? defaultTimeoutMs : defaultStreamTimeoutMs;
  }

  /**
   * The time limit that the caller gave, if any. The header is taken away where it is valid, since our
   * own clock keeps the deadline; an invalid one stays, for Connect to refuse in the caller's protocol.
   */
  #takeTimeout(request: NodeRequest, protocol: RpcProtocol): number | undefined {
    const header = nameTimeoutHeader(protocol);
    const timeout = parseCallerTimeout(
      protocol,
      readHeader(request, header),
      this.#parts.config.maxTimeoutMs,
    );
    if (timeout.kind !== "given") return undefined;
    delete request.headers[header];
    return timeout.timeoutMs;
  }

  #open(wire: Wire, context: EdgeContext, log: CallLog, meter: BodyMeter, terms: ScopeTerms): CallScope {
    const { calls, clock } = this.#parts;
    let whole = false;
    const stopWatching = this.#watch.watch(wire, meter);
    const scope = new CallScope(clock, context, terms, {
      abort: () => wire.abort(),
      closed: () => {
        stopWatching();
        meter.close();
        calls.remove(scope);
        log.write(scope, clock.nowMs(), whole);
      },
    });
    calls.add(scope);
    wire.onClose((isWhole) => {
      whole = isWhole;
      scope.close();
    });
    return scope;
  }

  #refuse(wire: Wire, context: EdgeContext, httpStatus: number, reason: string, message: string): void {
    const { requestId, peer } = context;
    this.#logRefusal({ requestId, peer, httpStatus, reason, error: message });
    answerProblem(wire, httpStatus, reason, message);
    this.#endSoon(wire);
  }

  #logRefusal(fields: LogFields): void {
    const skippedCount = this.#brakes.refused.take(this.#parts.clock.nowMs());
    if (skippedCount === undefined) return;
    this.#parts.logger.info("refused", { ...fields, ...(skippedCount > 0 && { count: skippedCount }) });
  }

  /** A request that was answered without a scope: what its caller still sends over HTTP/2 is stopped soon. */
  #endSoon(wire: Wire): void {
    if (!wire.isHttp2 || wire.requestComplete) return;
    wire.onClose(this.#parts.clock.timer(LINGER_MS, () => wire.abort()));
  }
}

/** Callers of these send a body and are done; others may take their time. */
function takesOneMessage(method: DescMethod): boolean {
  return method.methodKind === "unary" || method.methodKind === "server_streaming";
}
