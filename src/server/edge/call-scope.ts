import type { Cleanup, Clock } from "../../domain/ports.ts";
import type { CancelCause, EdgeContext } from "../../service/call.ts";

/** How long a handler has to end a call that it was told to stop, and then the network to take the answer. */
const GRACE_MS = 250;

/**
 * A caller's clock starts before the request reaches us, so its own deadline ends
 * the call a little earlier than ours would.
 */
const DEADLINE_TOLERANCE_MS = 10;

/** How long a caller may go on sending a request whose answer is out. */
export const LINGER_MS = 5_000;

/** What a scope makes happen when nobody else ends its call in time. */
export interface ScopeEnds {
  /** Breaks the transport off. */
  abort(): void;
  /** The transport is closed; called once. */
  closed(): void;
}

/** What a scope is told of its call. */
export interface ScopeTerms {
  readonly deadlineMs: number;
  /** Whether a drain waits for the call; a watch that never ends by itself is told to stop at once. */
  readonly endless: boolean;
}

/**
 * The life of one request, from its headers to the close of its transport:
 * the deadline, the cancellation, and who hears of it.
 */
export class CallScope {
  readonly context: EdgeContext;
  readonly deadlineMs: number;
  readonly endless: boolean;
  readonly #clock: Clock;
  readonly #ends: ScopeEnds;
  readonly #listeners = new Set<(cause: CancelCause) => void>();
  readonly #closeListeners = new Set<() => void>();
  #cancelled: CancelCause | undefined;
  #settled = false;
  #closed = false;
  #stopTimer: Cleanup;
  #overdue: ((cause: CancelCause) => void) | undefined;

  constructor(clock: Clock, context: EdgeContext, terms: ScopeTerms, ends: ScopeEnds) {
    this.context = context;
    this.deadlineMs = terms.deadlineMs;
    this.endless = terms.endless;
    this.#clock = clock;
    this.#ends = ends;
    this.#stopTimer = clock.timer(terms.deadlineMs - clock.nowMs(), () => this.cancel("deadline"));
  }

  get cancelled(): CancelCause | undefined {
    return this.#cancelled;
  }

  /** As `Call.onCancel`. */
  onCancel(fn: (cause: CancelCause) => void): Cleanup {
    if (this.#settled) return () => {};
    if (this.#cancelled !== undefined) {
      fn(this.#cancelled);
      return () => {};
    }
    // A wrapper, so that a function given twice is called twice.
    const listener = (cause: CancelCause): void => fn(cause);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `fn` once when the transport closes, however it does. */
  onClose(fn: () => void): void {
    if (this.#closed) fn();
    else this.#closeListeners.add(fn);
  }

  /** Sets what ends the call in the handler's stead when it was told to stop and did not. */
  onOverdue(fn: (cause: CancelCause) => void): void {
    this.#overdue = fn;
  }

  /** Tells everyone to stop. The first cause counts. */
  cancel(cause: CancelCause): void {
    if (this.#cancelled !== undefined || this.#closed) return;
    this.#cancelled = cause;
    this.#stopTimer();
    // Armed first: a listener may close the transport, which clears it.
    if (cause !== "caller_gone") this.#stopTimer = this.#clock.timer(GRACE_MS, () => this.#forceEnd(cause));
    this.#notify(cause);
  }

  /** The call has its answer: nobody hears of a cancellation any more. The deadline still holds for sending it. */
  settle(): void {
    this.#settled = true;
    this.#listeners.clear();
  }

  /** The whole answer was given to the network while the caller still sends: that ends soon. */
  linger(): void {
    if (this.#closed) return;
    this.#stopTimer();
    this.#stopTimer = this.#clock.timer(LINGER_MS, () => this.#ends.abort());
  }

  /**
   * The transport has closed. A call that was not settled was left by its caller,
   * or stopped by the caller's deadline: the clock tells which, not the protocol's
   * reset code, which varies between clients.
   */
  close(): void {
    if (this.#closed) return;
    if (!this.#settled) {
      const early = this.#clock.nowMs() < this.deadlineMs - DEADLINE_TOLERANCE_MS;
      this.cancel(early ? "caller_gone" : "deadline");
    }
    this.#closed = true;
    this.#stopTimer();
    this.settle();
    for (const fn of this.#closeListeners) fn();
    this.#closeListeners.clear();
    this.#ends.closed();
  }

  #notify(cause: CancelCause): void {
    if (this.#settled) return;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const fn of listeners) fn(cause);
  }

  #forceEnd(cause: CancelCause): void {
    if (this.#settled || this.#overdue === undefined) {
      this.#ends.abort();
      return;
    }
    this.#stopTimer = this.#clock.timer(GRACE_MS, () => this.#ends.abort());
    this.#overdue(cause);
  }
}
