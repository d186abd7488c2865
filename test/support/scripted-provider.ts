import type { GenerationEvent } from "../../src/domain/event.ts";
import type { FailureClass, ProviderFailure } from "../../src/domain/outcome.ts";
import type { Provider, ProviderAttempt, ProviderCall, ProviderSink } from "../../src/domain/ports.ts";

/** One attempt that a test drives by hand. */
export class ScriptedAttempt implements ProviderAttempt {
  readonly call: ProviderCall;
  readonly #sink: ProviderSink;
  aborted = false;
  paused = false;

  constructor(call: ProviderCall, sink: ProviderSink) {
    this.call = call;
    this.#sink = sink;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  abort(): void {
    this.aborted = true;
  }

  /** Bytes that are no event. */
  activity(): void {
    this.#sink.onActivity();
  }

  events(...batch: readonly GenerationEvent[]): void {
    this.#sink.onEvents(batch);
  }

  text(...texts: readonly string[]): void {
    this.events(...texts.map((text): GenerationEvent => ({ kind: "text_delta", text })));
  }

  complete(finishReason: "stop" | "length" | "tool_calls" = "stop"): void {
    this.#sink.onEnd({
      kind: "completed",
      finishReason,
      rawFinishReason: finishReason,
      responseModel: `${this.call.deployment.upstreamModel}-dated`,
    });
  }

  fail(failureClass: FailureClass, more: Omit<ProviderFailure, "class"> = {}): void {
    this.#sink.onEnd({ kind: "failed", failure: { class: failureClass, ...more } });
  }
}

/** A provider that does nothing by itself: a test answers each attempt by hand. */
export class ScriptedProvider implements Provider {
  readonly name: string;
  readonly simulated = false;
  readonly attempts: ScriptedAttempt[] = [];

  constructor(name: string) {
    this.name = name;
  }

  start(call: ProviderCall, sink: ProviderSink): ProviderAttempt {
    const attempt = new ScriptedAttempt(call, sink);
    this.attempts.push(attempt);
    return attempt;
  }

  async close(): Promise<void> {}

  /** The newest attempt; fails when there is none. */
  get last(): ScriptedAttempt {
    const attempt = this.attempts.at(-1);
    if (attempt === undefined) throw new Error(`nobody asked ${this.name}`);
    return attempt;
  }
}
