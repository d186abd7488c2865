import { ERRORS, type RouteError } from "../../domain/errors.ts";
import type { Cleanup, Logger } from "../../domain/ports.ts";
import type { CancelCause } from "../../service/call.ts";
import type { BodyFailure, HttpExchange } from "../../service/http-exchange.ts";
import type { BodyMeter } from "../edge/body-meter.ts";
import type { CallLog } from "../edge/call-log.ts";
import type { CallScope } from "../edge/call-scope.ts";
import { describeError } from "../edge/describe-error.ts";
import { type RequestTarget, readHeader } from "../edge/inspect-request.ts";
import type { Wire } from "../edge/wire.ts";
import { answerProblem } from "./answer-problem.ts";
import { answerRefused } from "./answer-refused.ts";
import { readWholeBody, type WholeBodyTerms } from "./read-whole-body.ts";

/** What an exchange is made of. */
export interface ExchangeParts {
  readonly wire: Wire;
  readonly scope: CallScope;
  readonly log: CallLog;
  readonly meter: BodyMeter;
  readonly target: RequestTarget;
  readonly maxRequestBytes: number;
  readonly logger: Logger;
}

/** An HTTP exchange over a Node request. What comes after the end of an answer is dropped. */
export class NodeHttpExchange implements HttpExchange {
  readonly requestId: string;
  readonly traceparent: string | undefined;
  readonly peer: string;
  readonly arrivedMs: number;
  readonly httpMethod: string;
  readonly path: string;
  readonly deadlineMs: number;
  readonly #parts: ExchangeParts;
  #onDrain: (() => void) | undefined;
  #begun = false;
  #ended = false;

  constructor(parts: ExchangeParts) {
    const { scope, target, wire } = parts;
    this.#parts = parts;
    this.requestId = scope.context.requestId;
    this.traceparent = scope.context.traceparent;
    this.peer = scope.context.peer;
    this.arrivedMs = scope.context.arrivedMs;
    this.httpMethod = target.httpMethod;
    this.path = target.path;
    this.deadlineMs = scope.deadlineMs;
    wire.onDrain(() => {
      if (!this.#ended) this.#onDrain?.();
    });
    scope.onOverdue((cause) => {
      const late = cause === "deadline";
      const reason = late ? "DEADLINE_EXCEEDED" : "DRAINING";
      this.#giveUp(late ? 504 : 503, reason, "the request was stopped before it had an answer");
    });
  }

  get cancelled(): CancelCause | undefined {
    return this.#parts.scope.cancelled;
  }

  onCancel(fn: (cause: CancelCause) => void): Cleanup {
    return this.#parts.scope.onCancel((cause) => this.guard(() => fn(cause)));
  }

  header(name: string): string | undefined {
    return readHeader(this.#parts.wire.request, name);
  }

  readBody(done: (body: Uint8Array | BodyFailure) => void): void {
    const { wire, scope, meter, maxRequestBytes } = this.#parts;
    const terms: WholeBodyTerms = {
      maxBytes: maxRequestBytes,
      meter,
      nowMs: this.arrivedMs,
      refuse: (error) => this.refuse(error),
    };
    readWholeBody(wire.request, scope, terms, (body) => this.guard(() => done(body)));
  }

  respond(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    if (this.#begun || this.#ended) return;
    this.begin(status, { ...headers, "content-length": String(Buffer.byteLength(body)) });
    if (this.httpMethod !== "HEAD") this.write(body);
    this.end();
  }

  begin(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.#begun || this.#ended) return;
    this.#begun = true;
    const { wire, log } = this.#parts;
    log.httpStatus = status;
    if (!wire.closed) wire.writeHead(status, { ...headers });
  }

  write(chunk: string): boolean {
    const { wire } = this.#parts;
    if (!this.#begun || this.#ended || wire.closed || chunk.length === 0) return true;
    return wire.write(chunk);
  }

  onDrain(fn: () => void): void {
    this.#onDrain = () => this.guard(fn);
  }

  end(): void {
    if (!this.#begun || this.#ended) return;
    this.#ended = true;
    const { wire, scope } = this.#parts;
    scope.settle();
    if (wire.closed) return;
    wire.end();
    this.#linger();
  }

  abort(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { wire, scope, log } = this.#parts;
    log.setCode("ABORTED");
    scope.settle();
    wire.abort();
  }

  /** Runs the door's code. Code that throws has a bug: the caller gets 500 or a broken answer, the log the rest. */
  guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      const { logger, log } = this.#parts;
      logger.error("a door threw", { requestId: this.requestId, error: describeError(error) });
      log.setCode("INTERNAL");
      this.#giveUp(500, "INTERNAL", `internal error; request id ${this.requestId} finds it in the logs`);
    }
  }

  /** Answers in the door's stead with an error that the edge found, before the door heard of the request. */
  refuse(error: RouteError): void {
    if (this.#begun || this.#ended) return;
    this.#begun = true;
    this.#ended = true;
    const { wire, scope, log } = this.#parts;
    log.setCode(ERRORS[error.reason].code);
    scope.settle();
    log.httpStatus = answerRefused(wire, error);
    this.#linger();
  }

  /** A caller that still sends over HTTP/2 has its answer: what else comes is stopped soon. */
  #linger(): void {
    const { wire, scope } = this.#parts;
    if (!wire.closed && wire.isHttp2 && !wire.requestComplete) scope.linger();
  }

  /** Answers in the door's stead, or breaks off what it has begun. */
  #giveUp(status: number, reason: string, message: string): void {
    if (this.#begun || this.#ended) {
      this.abort();
      return;
    }
    this.#begun = true;
    this.#ended = true;
    const { wire, scope, log } = this.#parts;
    log.httpStatus = status;
    scope.settle();
    answerProblem(wire, status, reason, message);
    this.#linger();
  }
}
