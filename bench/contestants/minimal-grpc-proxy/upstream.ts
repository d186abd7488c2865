import { type Dispatcher, Pool } from "undici";

/** Takes one answer. `onEnd(false)` when the status was not 200 or the connection broke. */
export interface AnswerSink {
  onData(chunk: Buffer): void;
  onEnd(ok: boolean): void;
}

const HEADERS = { "content-type": "application/json", authorization: "Bearer bench" };

/** Posts chat completions by undici's dispatch, the cheapest client it has. */
export class Upstream {
  readonly #pool: Pool;

  constructor(origin: string) {
    this.#pool = new Pool(origin, { connections: 2048, pipelining: 1, keepAliveTimeout: 60_000 });
  }

  post(body: string, sink: AnswerSink): void {
    this.#pool.dispatch(
      { method: "POST", path: "/v1/chat/completions", headers: HEADERS, body },
      new AnswerHandler(sink),
    );
  }
}

class AnswerHandler implements Dispatcher.DispatchHandler {
  readonly #sink: AnswerSink;
  #status = 0;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#sink.onData(chunk);
  }

  onResponseEnd(): void {
    this.#sink.onEnd(this.#status === 200);
  }

  onResponseError(): void {
    this.#sink.onEnd(false);
  }
}
