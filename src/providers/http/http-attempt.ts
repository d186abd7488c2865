import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import type { ProviderFailure } from "../../domain/outcome.ts";
import type { Cleanup, Clock, ProviderAttempt, ProviderEnd, ProviderSink } from "../../domain/ports.ts";
import type { QuotaHeaders } from "../../domain/quota.ts";
import { GrowingBuffer } from "../../lib/growing-buffer.ts";
import type { Secret } from "../../lib/secret.ts";
import { classifyErrorAnswer, classifyTransportError } from "../failures/classify-failure.ts";
import type { RuleProvider } from "../failures/error-rules.ts";
import type { AnswerDecoder } from "./answer-decoder.ts";
import { readQuotaHeaders } from "./quota-headers.ts";
import { readRetryAfterMs } from "./retry-after.ts";

/** No more of an error's body is read. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;
/** How long a body may go on after all that matters of it has come. */
const TAIL_TIMEOUT_MS = 2_000;
/** How long an error's body is waited for, from its head on: then the status alone tells, and another can be asked. */
const ERROR_BODY_TIMEOUT_MS = 1_000;
/** Given to undici on abort; one for all, because making an Error costs a stack trace. */
const ABORTED = new Error("attempt aborted");

interface ErrorAnswer {
  readonly httpStatus: number;
  readonly retryAfterMs: number | undefined;
  readonly body: GrowingBuffer;
}

/**
 * One running exchange: takes what undici reads, and gives it to the sink in a
 * microtask, which runs when all HTTP chunks of one socket read have been taken. So
 * the sink gets one batch per read and is never called from inside a call of its own.
 */
export class HttpAttempt implements ProviderAttempt, Dispatcher.DispatchHandler {
  readonly #provider: RuleProvider;
  readonly #openDecoder: (httpStatus: number) => AnswerDecoder;
  readonly #clock: Clock;
  readonly #apiKey: Secret | undefined;
  /** Undefined once nothing more may be told. */
  #sink: ProviderSink | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #decoder: AnswerDecoder | undefined;
  #errorAnswer: ErrorAnswer | undefined;
  #end: ProviderEnd | undefined;
  #cancelTailTimer: Cleanup | undefined;
  #isPaused = false;
  #isOver = false;
  #hasActivity = false;
  #quota: QuotaHeaders | undefined;
  #isFlushDue = false;

  /**
   * `provider` is whose error rules hold; `openDecoder` makes what reads the body of a successful
   * answer; `apiKey` is what was sent, which no failure repeats.
   */
  constructor(
    clock: Clock,
    sink: ProviderSink,
    provider: RuleProvider,
    openDecoder: (httpStatus: number) => AnswerDecoder,
    apiKey?: Secret,
  ) {
    this.#apiKey = apiKey;
    this.#provider = provider;
    this.#openDecoder = openDecoder;
    this.#clock = clock;
    this.#sink = sink;
  }

  pause(): void {
    if (this.#sink === undefined) return;
    this.#isPaused = true;
    this.#controller?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#flushSoon();
    this.#controller?.resume();
  }

  abort(): void {
    if (this.#sink === undefined) return;
    this.#sink = undefined;
    this.#decoder = undefined;
    this.#errorAnswer = undefined;
    this.#release();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // It waited for a connection until after its abort. A throw here keeps the request
    // from being written and, unlike controller.abort, spares the idle connection.
    if (this.#sink === undefined) throw ABORTED;
    this.#controller = controller;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    httpStatus: number,
    headers: IncomingHttpHeaders,
  ): void {
    this.#hasActivity = true;
    this.#flushSoon();
    // Informational answers (RFC 9110 15.2) come before the real one.
    if (httpStatus < 200) return;
    this.#quota = readQuotaHeaders(headers, this.#clock.wallMs());
    if (this.#isPaused) controller.pause();
    if (httpStatus >= 300) {
      const retryAfterMs = readRetryAfterMs(headers, this.#clock.wallMs());
      this.#errorAnswer = { httpStatus, retryAfterMs, body: new GrowingBuffer() };
      this.#setTailTimer(ERROR_BODY_TIMEOUT_MS, () => this.#finish());
      return;
    }
    const encoding = headers["content-encoding"];
    if (encoding !== undefined && encoding !== "identity") {
      this.#end = { kind: "failed", failure: { class: "server_error", httpStatus } };
      return;
    }
    this.#decoder = this.#openDecoder(httpStatus);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#sink === undefined) return;
    this.#hasActivity = true;
    this.#flushSoon();
    this.#decoder?.push(chunk);
    // Some servers neither close nor mark the end after a finish reason, and some go on with comments.
    if (this.#decoder?.isConcluded) {
      this.#cancelTailTimer ??= this.#clock.timer(TAIL_TIMEOUT_MS, () => this.#finish());
    }
    const errorBody = this.#errorAnswer?.body;
    if (errorBody === undefined) return;
    errorBody.append(chunk.subarray(0, MAX_ERROR_BODY_BYTES - errorBody.lengthBytes));
    if (errorBody.lengthBytes === MAX_ERROR_BODY_BYTES) this.#finish();
  }

  onResponseEnd(): void {
    this.#isOver = true;
    this.#finish();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#isOver = true;
    if (this.#decoder === undefined && this.#errorAnswer === undefined) {
      this.#end ??= { kind: "failed", failure: classifyTransportError(error) };
    }
    this.#finish();
  }

  /** Nothing more will be read: decides how the answer ended from what came. */
  #finish(): void {
    this.#cancelTailTimer?.();
    this.#cancelTailTimer = undefined;
    if (this.#sink === undefined) return;
    this.#decoder?.finish();
    if (this.#errorAnswer !== undefined) {
      const { httpStatus, body, retryAfterMs } = this.#errorAnswer;
      const place = { provider: this.#provider, wallNowMs: this.#clock.wallMs() };
      const failure = classifyErrorAnswer(httpStatus, body.view().toString("utf8"), retryAfterMs, place);
      this.#end ??= { kind: "failed", failure };
    }
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isFlushDue = false;
    if (this.#hasActivity) {
      this.#hasActivity = false;
      this.#sink?.onActivity();
    }
    const quota = this.#quota;
    this.#quota = undefined;
    if (quota !== undefined) this.#sink?.onQuota?.(quota);
    const decoder = this.#decoder;
    if (decoder?.hasEvents) {
      if (this.#isPaused) return;
      this.#sink?.onEvents(decoder.takeEvents());
    }
    // The sink may have aborted from inside the calls above.
    const sink = this.#sink;
    const end = this.#end ?? decoder?.end;
    if (sink === undefined || end === undefined) return;
    this.#sink = undefined;
    this.#decoder = undefined;
    this.#errorAnswer = undefined;
    if (end.kind === "completed") {
      this.#awaitTail();
      sink.onEnd(end);
      return;
    }
    this.#release();
    sink.onEnd({ kind: "failed", failure: this.#withoutKey(end.failure) });
  };

  /** A gateway may name the key that it refused where others have a code. */
  #withoutKey(failure: ProviderFailure): ProviderFailure {
    const { providerCode, ...others } = failure;
    return providerCode !== undefined && this.#apiKey?.isIn(providerCode) ? others : failure;
  }

  /**
   * The answer is whole but its HTTP body may not be closed yet: waits a little, so
   * that the connection can be used again, but not for ever.
   */
  #awaitTail(): void {
    if (this.#isOver) return;
    this.#setTailTimer(TAIL_TIMEOUT_MS, () => this.#release());
    if (this.#isPaused) this.#controller?.resume();
  }

  /** Gives up the exchange and with it the connection. */
  #release(): void {
    this.#cancelTailTimer?.();
    this.#cancelTailTimer = undefined;
    if (!this.#isOver) this.#controller?.abort(ABORTED);
  }

  #setTailTimer(timeoutMs: number, onTimeout: () => void): void {
    this.#cancelTailTimer?.();
    this.#cancelTailTimer = this.#clock.timer(timeoutMs, onTimeout);
  }
}
