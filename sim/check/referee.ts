import type { Regime } from "../world/regime.ts";
import type { SimRequest } from "../world/workload.ts";
import type { CallBook, WorldWatcher } from "../world/world.ts";
import { InvariantViolation } from "./invariant-violation.ts";

/** What became of one request. */
export interface RequestBook {
  readonly request: SimRequest;
  succeeded: boolean;
  done: boolean;
  callCount: number;
  runningCount: number;
  /** Whether its next call is a probe. */
  probing: boolean;
  /** All of its calls together, by the providers' books. */
  costUsd: number;
  /** The endpoint that answered, or -1. */
  endpoint: number;
  /** From arrival; undefined without an answer. */
  firstTokenMs: number | undefined;
  totalMs: number;
}

/** A call that was begun. */
export interface CallStart {
  readonly atMs: number;
  readonly endpoint: number;
  readonly replica: number;
  readonly isProbe: boolean;
}

/** What fleets tell of their requests. */
export interface RequestSink {
  /** The next call of this request only looks whether an endpoint works again. */
  noteProbe(request: SimRequest): void;
  /** The first token reaches the caller. */
  noteFirstToken(request: SimRequest): void;
  /** The request ends for its caller. */
  finish(request: SimRequest, succeeded: boolean): void;
}

/**
 * Keeps the books of a run and holds the rules:
 * I1 every request ends exactly once; I2 what the providers' books say was started has
 * ended, and every success has a whole answer in them; I4 no call starts after the end
 * of its request, and none runs on after it; I5 no request has more calls than allowed,
 * nor outlives its deadline. A broken rule throws `InvariantViolation`.
 */
export class Referee implements WorldWatcher, RequestSink {
  readonly requests: (RequestBook | undefined)[] = [];
  readonly calls: CallBook[] = [];
  readonly starts: CallStart[] = [];
  readonly #regime: Regime;
  readonly #nowMs: () => number;
  readonly #justDone: RequestBook[] = [];
  #runningCount = 0;
  #openCount = 0;

  constructor(regime: Regime, nowMs: () => number) {
    this.#regime = regime;
    this.#nowMs = nowMs;
  }

  /** A request arrives. */
  accept(request: SimRequest): void {
    this.#openCount += 1;
    this.requests[request.index] = {
      request,
      succeeded: false,
      done: false,
      callCount: 0,
      runningCount: 0,
      probing: false,
      costUsd: 0,
      endpoint: -1,
      firstTokenMs: undefined,
      totalMs: 0,
    };
  }

  onCallStart(request: SimRequest, endpoint: number): void {
    const book = this.#bookOf(request);
    if (book.done) throw new InvariantViolation("I4", `request ${request.index} starts a call after its end`);
    book.callCount += 1;
    book.runningCount += 1;
    this.#runningCount += 1;
    if (book.callCount > this.#regime.maxAttempts) {
      throw new InvariantViolation("I5", `request ${request.index} starts call ${book.callCount}`);
    }
    if (this.#nowMs() > request.arrivalMs + this.#regime.timeoutMs + CLOCK_ROUNDING_MS) {
      throw new InvariantViolation("I4", `request ${request.index} starts a call after its deadline`);
    }
    const { probing: isProbe } = book;
    book.probing = false;
    this.starts.push({ atMs: this.#nowMs(), endpoint, replica: request.replica, isProbe });
  }

  onCallEnd(call: CallBook): void {
    const book = this.#bookOf(call.request);
    book.runningCount -= 1;
    this.#runningCount -= 1;
    if (book.runningCount < 0)
      throw new InvariantViolation("I2", `a call of ${call.request.index} ends twice`);
    book.costUsd += call.costUsd;
    if (call.fate === "completed" && !call.aborted) book.endpoint = call.endpoint;
    this.calls.push(call);
  }

  noteProbe(request: SimRequest): void {
    this.#bookOf(request).probing = true;
  }

  /** The first token reaches the caller. */
  noteFirstToken(request: SimRequest): void {
    const book = this.#bookOf(request);
    if (book.done) throw new InvariantViolation("I1", `request ${request.index} gets a token after its end`);
    if (book.firstTokenMs !== undefined) {
      throw new InvariantViolation("I3", `request ${request.index} gets a first token twice`);
    }
    book.firstTokenMs = this.#nowMs() - request.arrivalMs;
  }

  /** The request ends for its caller. */
  finish(request: SimRequest, succeeded: boolean): void {
    const book = this.#bookOf(request);
    if (book.done) throw new InvariantViolation("I1", `request ${request.index} ends twice`);
    if (succeeded && book.endpoint < 0) {
      throw new InvariantViolation("I2", `request ${request.index} succeeds without a whole answer`);
    }
    book.done = true;
    book.succeeded = succeeded;
    book.totalMs = this.#nowMs() - request.arrivalMs;
    if (book.totalMs > this.#regime.timeoutMs + CLOCK_ROUNDING_MS) {
      throw new InvariantViolation("I5", `request ${request.index} outlives its deadline`);
    }
    this.#openCount -= 1;
    this.#justDone.push(book);
  }

  /** To be called after every event. */
  readonly checkEvent = (): void => {
    for (const { request, runningCount } of this.#justDone) {
      if (runningCount > 0) {
        throw new InvariantViolation(
          "I4",
          `request ${request.index} has ended and ${runningCount} calls run on`,
        );
      }
    }
    this.#justDone.length = 0;
  };

  /** To be called when all must be over. */
  checkEnd(): void {
    if (this.#openCount > 0) throw new InvariantViolation("I1", `${this.#openCount} requests have no end`);
    if (this.#runningCount > 0) throw new InvariantViolation("I6", `${this.#runningCount} calls have no end`);
  }

  #bookOf(request: SimRequest): RequestBook {
    const book = this.requests[request.index];
    if (book === undefined) throw new InvariantViolation("I1", `request ${request.index} never arrived`);
    return book;
  }
}

const CLOCK_ROUNDING_MS = 0.001;
