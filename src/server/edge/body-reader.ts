import type { Cleanup } from "../../domain/ports.ts";
import type { CancelCause } from "../../service/call.ts";
import type { CallScope } from "./call-scope.ts";
import type { NodeRequest } from "./wire.ts";

/**
 * The body of a request as a sequence of chunks. Unlike Node's own iterator it
 * leaves the connection alone when reading stops early, so that the refusal can
 * still be sent, and a call's deadline or cancellation ends a wait for the next chunk.
 */
export class BodyReader implements AsyncIterableIterator<Uint8Array> {
  readonly #request: NodeRequest;
  readonly #stop: (cause: CancelCause) => Error;
  readonly #stopListening: Cleanup;
  #cause: CancelCause | undefined;
  #ended = false;
  #wake: (() => void) | undefined;

  /** `stop` makes the error that reading fails with once the call must stop. */
  constructor(request: NodeRequest, scope: CallScope, stop: (cause: CancelCause) => Error) {
    this.#request = request;
    this.#stop = stop;
    request.on("readable", this.#wakeUp);
    request.once("end", () => {
      this.#ended = true;
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
    for (;;) {
      if (this.#cause !== undefined) {
        this.#release();
        throw this.#stop(this.#cause);
      }
      const chunk: Uint8Array | null = this.#request.read();
      if (chunk !== null) return { done: false, value: chunk };
      if (this.#ended || this.#request.readableEnded) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#release();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** While anybody listens for `readable`, what is left of the body cannot be thrown away. */
  #release(): void {
    this.#stopListening();
    this.#request.off("readable", this.#wakeUp);
  }

  readonly #wakeUp = (): void => {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  };
}
