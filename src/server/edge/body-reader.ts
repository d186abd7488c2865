import type { RouteError } from "../../domain/errors.ts";
import type { Cleanup } from "../../domain/ports.ts";
import type { CancelCause } from "../../service/call.ts";
import type { BodyMeter } from "./body-meter.ts";
import type { CallScope } from "./call-scope.ts";
import type { NodeRequest } from "./wire.ts";

/** What a body is read under. */
export interface BodyTerms {
  readonly meter: BodyMeter;
  /** When reading begins, on the Clock. */
  readonly nowMs: number;
  /** Looks at each chunk as it comes; an error ends the reading. */
  check(chunk: Uint8Array): RouteError | undefined;
  /** Called before each chunk is asked for: what came before it has been taken in. */
  proceed(): void;
  /** Makes the error that reading fails with once the call must stop. */
  stop(cause: CancelCause): Error;
  /** Makes the error that reading fails with otherwise. */
  fail(error: RouteError): Error;
}

/**
 * The body of a request as a sequence of chunks. Unlike Node's own iterator it
 * leaves the connection alone when reading stops early, so that the refusal can
 * still be sent, and a call's deadline or cancellation ends a wait for the next chunk.
 */
export class BodyReader implements AsyncIterableIterator<Uint8Array> {
  readonly #request: NodeRequest;
  readonly #terms: BodyTerms;
  readonly #stopListening: Cleanup;
  #cause: CancelCause | undefined;
  #failure: RouteError | undefined;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(request: NodeRequest, scope: CallScope, terms: BodyTerms) {
    this.#request = request;
    this.#terms = terms;
    request.on("readable", this.#wakeUp);
    request.once("end", () => {
      this.#ended = true;
      terms.meter.finish();
      this.#wakeUp();
    });
    terms.meter.expect(terms.nowMs, (error) => {
      this.#failure = error;
      this.#wakeUp();
    });
    this.#stopListening = scope.onCancel((cause) => {
      this.#cause = cause;
      this.#wakeUp();
    });
    scope.onClose(() => {
      this.#cause ??= "caller_gone";
      this.#wakeUp();
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    this.#terms.proceed();
    for (;;) {
      if (this.#cause !== undefined) throw this.#end(this.#terms.stop(this.#cause));
      if (this.#failure !== undefined) throw this.#end(this.#terms.fail(this.#failure));
      const chunk: Uint8Array | null = this.#request.read();
      if (chunk !== null) {
        this.#failure = this.#terms.check(chunk) ?? this.#terms.meter.receive(chunk.byteLength);
        if (this.#failure === undefined) return { done: false, value: chunk };
      } else if (this.#ended || this.#request.readableEnded) {
        return { done: true, value: undefined };
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#release();
    return Promise.resolve({ done: true, value: undefined });
  }

  #end(error: Error): Error {
    this.#release();
    return error;
  }

  /** While anybody listens for `readable`, what is left of the body cannot be thrown away. */
  #release(): void {
    this.#stopListening();
    this.#terms.meter.finish();
    this.#request.off("readable", this.#wakeUp);
  }

  readonly #wakeUp = (): void => {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  };
}
