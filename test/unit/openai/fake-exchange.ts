import type { Cleanup } from "../../../src/domain/ports.ts";
import type { CancelCause } from "../../../src/service/call.ts";
import type { BodyFailure, HttpExchange } from "../../../src/service/http-exchange.ts";

/** One HTTP request whose answer a test can look at. */
export class FakeExchange implements HttpExchange {
  readonly requestId = "request-1";
  readonly traceparent = undefined;
  readonly peer = "127.0.0.1:5000";
  readonly arrivedMs = 1_000;
  readonly deadlineMs = 61_000;
  readonly httpMethod: string;
  readonly path: string;
  readonly headerReads: string[] = [];
  /** Ordered names of what was done: respond, begin, write, end, abort. */
  readonly steps: string[] = [];
  readonly writes: string[] = [];
  status = 0;
  headers: Readonly<Record<string, string>> = {};
  body = "";
  isWritable = true;
  cancelled: CancelCause | undefined;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #content: Uint8Array | BodyFailure | undefined;
  readonly #cancelListeners = new Set<(cause: CancelCause) => void>();
  #drainListener: () => void = () => {};

  /** A `body` that is an object is sent as JSON; undefined means that it never comes. */
  constructor(
    httpMethod: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = { "content-type": "application/json" },
  ) {
    this.httpMethod = httpMethod;
    this.path = path;
    this.#headers = headers;
    const isFailure = body === "too_large" || body === "cut_short" || body === "unsupported_encoding";
    if (isFailure) this.#content = body;
    else if (body !== undefined) this.#content = new TextEncoder().encode(JSON.stringify(body));
  }

  header(name: string): string | undefined {
    this.headerReads.push(name);
    return this.#headers[name];
  }

  onCancel(fn: (cause: CancelCause) => void): Cleanup {
    if (this.cancelled !== undefined) fn(this.cancelled);
    else this.#cancelListeners.add(fn);
    return () => this.#cancelListeners.delete(fn);
  }

  readBody(done: (body: Uint8Array | BodyFailure) => void): void {
    if (this.#content !== undefined) done(this.#content);
  }

  respond(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    this.#step("respond");
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  begin(status: number, headers: Readonly<Record<string, string>>): void {
    this.#step("begin");
    this.status = status;
    this.headers = headers;
  }

  write(chunk: string): boolean {
    this.#step("write");
    this.writes.push(chunk);
    return this.isWritable;
  }

  onDrain(fn: () => void): void {
    this.#drainListener = fn;
  }

  end(): void {
    this.#step("end");
  }

  abort(): void {
    this.#step("abort");
  }

  /** Makes the exchange stop, as a server does. */
  cancel(cause: CancelCause): void {
    this.cancelled = cause;
    for (const fn of [...this.#cancelListeners]) fn(cause);
  }

  drain(): void {
    this.#drainListener();
  }

  /** The payloads of all events, parsed; the end mark stays text. */
  get events(): unknown[] {
    const whole = this.writes.join("");
    if (whole !== "" && !whole.endsWith("\n\n")) throw new Error("the last event is not complete");
    return whole
      .split("\n\n")
      .slice(0, -1)
      .map((event) => {
        const data = event.replace(/^data: /, "");
        return data === "[DONE]" ? data : JSON.parse(data);
      });
  }

  /** The whole body, parsed. */
  get json(): { error?: { message: string; type: string; param: string | null; code: string } } {
    return JSON.parse(this.body);
  }

  #step(name: string): void {
    const hasEnded = this.steps.some((step) => step === "respond" || step === "end" || step === "abort");
    if (hasEnded) throw new Error(`${name} after the end (${this.steps.join(", ")})`);
    this.steps.push(name);
  }
}
