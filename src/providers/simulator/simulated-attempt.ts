import type { ProviderFailure } from "../../domain/outcome.ts";
import type { Cleanup, Clock, ProviderAttempt, ProviderEnd, ProviderSink } from "../../domain/ports.ts";
import type { Usage } from "../../domain/usage.ts";
import type { PlannedAnswer } from "./plan-answer.ts";

/** What happens in an attempt, decided before it begins. */
export type Script =
  | {
      readonly kind: "answer";
      readonly answer: PlannedAnswer;
      readonly usage: Usage;
      readonly responseModel: string;
    }
  | { readonly kind: "cut"; readonly answer: PlannedAnswer; readonly failure: ProviderFailure }
  | { readonly kind: "fail"; readonly failure: ProviderFailure }
  | { readonly kind: "hang" };

/** How fast tokens come. */
export interface Pace {
  readonly timeToFirstTokenMs: number;
  /** After the first. Infinity gives them all at once. */
  readonly tokensPerSecond: number;
}

/** Timers closer together than this cost more than they show: tokens share a tick instead. */
const MIN_TICK_MS = 10;

/** Plays one script on the clock: one timer per tick, one batch per timer. */
export class SimulatedAttempt implements ProviderAttempt {
  readonly #clock: Clock;
  readonly #pace: Pace;
  readonly #script: Script;
  readonly #onOver: (attempt: SimulatedAttempt) => void;
  readonly #firstTokenMs: number;
  /** Undefined once nothing more may be told. */
  #sink: ProviderSink | undefined;
  #cancelTimer: Cleanup | undefined;
  #toldCount = 0;
  #isPaused = false;

  constructor(
    clock: Clock,
    pace: Pace,
    script: Script,
    sink: ProviderSink,
    onOver: (attempt: SimulatedAttempt) => void,
  ) {
    this.#clock = clock;
    this.#pace = pace;
    this.#script = script;
    this.#sink = sink;
    this.#onOver = onOver;
    this.#firstTokenMs = clock.nowMs() + pace.timeToFirstTokenMs;
    if (script.kind !== "hang") this.#tickAt(this.#firstTokenMs);
  }

  pause(): void {
    this.#isPaused = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** What would have come meanwhile comes at once, as it does from a socket. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#sink !== undefined && this.#script.kind !== "hang") this.#tickAt(this.#dueMs(this.#toldCount));
  }

  abort(): void {
    if (this.#sink === undefined) return;
    this.#close();
  }

  /** Cuts the attempt as a lost connection would. */
  cut(): void {
    const isAnswering = this.#toldCount > 0;
    this.#end({ kind: "failed", failure: { class: isAnswering ? "stream_interrupted" : "network" } });
  }

  readonly #tick = (): void => {
    this.#cancelTimer = undefined;
    const script = this.#script;
    this.#sink?.onActivity();
    if (script.kind === "hang") return;
    if (script.kind === "fail") {
      this.#end({ kind: "failed", failure: script.failure });
      return;
    }
    const { events } = script.answer;
    // Of a cut answer about half is told, but something, since it is cut in the middle.
    const totalCount = script.kind === "cut" ? Math.ceil(events.length / 2) : events.length;
    const dueCount = Math.min(this.#countDue(), totalCount);
    const isLast = dueCount === totalCount;
    const batch = events.slice(this.#toldCount, dueCount);
    if (isLast && script.kind === "answer") batch.push({ kind: "usage", usage: script.usage });
    this.#toldCount = dueCount;
    if (batch.length > 0) this.#sink?.onEvents(batch);
    if (!isLast) {
      if (this.#sink !== undefined && !this.#isPaused) this.#tickAt(this.#dueMs(dueCount));
      return;
    }
    if (script.kind === "cut") {
      this.#end({ kind: "failed", failure: script.failure });
      return;
    }
    const { finishReason } = script.answer;
    const { responseModel } = script;
    this.#end({ kind: "completed", finishReason, rawFinishReason: finishReason, responseModel });
  };

  /** When the token with this index, from 0, is due. */
  #dueMs(index: number): number {
    return this.#firstTokenMs + (index * 1_000) / this.#pace.tokensPerSecond;
  }

  #countDue(): number {
    const elapsedMs = Math.max(this.#clock.nowMs() - this.#firstTokenMs, 0);
    if (this.#pace.tokensPerSecond === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    // Every tick tells at least one token, so that rounding cannot make it spin.
    return Math.max(1 + Math.floor((elapsedMs * this.#pace.tokensPerSecond) / 1_000), this.#toldCount + 1);
  }

  #tickAt(dueMs: number): void {
    const leastMs = this.#toldCount === 0 ? 0 : MIN_TICK_MS;
    this.#cancelTimer = this.#clock.timer(Math.max(dueMs - this.#clock.nowMs(), leastMs), this.#tick);
  }

  #end(end: ProviderEnd): void {
    const sink = this.#sink;
    this.#close();
    sink?.onEnd(end);
  }

  #close(): void {
    this.#sink = undefined;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#onOver(this);
  }
}
