/** The answer to a request with `stream`: sends a route on as it comes. */

import type { RouteResult } from "../domain/attempt.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { RouteError } from "../domain/errors.ts";
import type { GenerationEvent } from "../domain/event.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { RouteConsumer } from "../router/route.ts";
import type { HttpExchange } from "../service/http-exchange.ts";
import { type AnswerHead, listAnswerHeaders } from "./answer-head.ts";
import { ChunkEncoder } from "./chunk-encoder.ts";
import { answerRouteError, encodeRouteError } from "./error-answer.ts";

/**
 * Streams an answer. Status and headers go out with the first batch and not before,
 * so an error until then has its own status. After that a failure is an error event
 * followed by a broken connection: without finish reason and `[DONE]`, and without a
 * clean end, nobody can take a part for the whole.
 */
export class StreamedAnswer implements RouteConsumer {
  readonly #exchange: HttpExchange;
  readonly #head: AnswerHead;
  #deployment: Deployment | undefined;
  #encoder: ChunkEncoder | undefined;

  constructor(exchange: HttpExchange, head: AnswerHead) {
    this.#exchange = exchange;
    this.#head = head;
  }

  onStarted(deployment: Deployment): void {
    this.#deployment = deployment;
  }

  onSwitched(_attemptNumber: number, deployment: Deployment, _previous: Outcome): void {
    this.#deployment = deployment;
  }

  onEvents(attemptNumber: number, batch: readonly GenerationEvent[]): boolean {
    if (this.#encoder !== undefined) return this.#write(this.#encoder.encodeEvents(batch));
    // The router's contract: `onStarted` comes before any batch.
    if (this.#deployment === undefined) return true;
    const encoder = this.#commit(this.#deployment, attemptNumber);
    return this.#write(encoder.encodeStart() + encoder.encodeEvents(batch));
  }

  onFinished(result: RouteResult): void {
    const begun = this.#encoder;
    const encoder = begun ?? this.#commit(result.deployment, result.attempts.length);
    const start = begun === undefined ? encoder.encodeStart() : "";
    this.#exchange.write(start + encoder.encodeEnd(result));
    this.#exchange.end();
  }

  onFailed(error: RouteError): void {
    if (this.#exchange.cancelled === "caller_gone") return;
    if (this.#encoder === undefined) {
      const { status, headers, body } = answerRouteError(error);
      this.#exchange.respond(status, headers, body);
      return;
    }
    this.#exchange.write(`data: ${encodeRouteError(error)}\n\n`);
    this.#exchange.abort();
  }

  #commit(deployment: Deployment, attemptCount: number): ChunkEncoder {
    this.#encoder = new ChunkEncoder(this.#head, deployment.model);
    this.#exchange.begin(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      // Asks nginx and those that follow it not to hold the stream back.
      "x-accel-buffering": "no",
      ...listAnswerHeaders(this.#head, deployment, attemptCount),
    });
    return this.#encoder;
  }

  #write(chunks: string): boolean {
    return chunks === "" || this.#exchange.write(chunks);
  }
}
