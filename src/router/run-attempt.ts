/** One attempt: a provider's answer under timers that really fire, ended exactly once. */

import type { GenerationEvent } from "../domain/event.ts";
import type { AttemptTimer, Outcome, ProviderFailure } from "../domain/outcome.ts";
import type {
  Cleanup,
  Clock,
  Provider,
  ProviderAttempt,
  ProviderCall,
  ProviderEnd,
  ProviderSink,
} from "../domain/ports.ts";
import type { QuotaHeaders } from "../domain/quota.ts";
import type { Usage } from "../domain/usage.ts";

/** How long an attempt may take, each from 0 ms. */
export interface AttemptLimits {
  /** From dispatch to the first delta. */
  readonly firstTokenMs: number;
  /** From dispatch until the first delta is late enough to be told; less than `firstTokenMs` to matter. */
  readonly suspectMs?: number;
  /** Between two reads from the provider, while the caller reads. */
  readonly idleMs: number;
  /** From dispatch to the end. */
  readonly totalMs: number;
}

/** How an attempt ended, with what was measured. */
export interface AttemptEnd {
  readonly end: ProviderEnd;
  readonly outcome: Outcome;
  readonly totalMs: number;
  readonly timeToFirstTokenMs: number | undefined;
  /** The last usage the provider told. */
  readonly usage: Usage | undefined;
}

/** Takes what an attempt produces; `onEnd` comes last and once, also after `abort`. */
export interface AttemptListener {
  onBatch(batch: readonly GenerationEvent[]): void;
  onEnd(end: AttemptEnd): void;
  /** No delta has come by `ageMs`. Answers the age at which to be told again; Infinity for never. */
  onSilence?(ageMs: number): number;
  /** What the provider's headers say of its limits. */
  onQuota?(headers: QuotaHeaders): void;
}

export class RunningAttempt implements ProviderSink {
  readonly #clock: Clock;
  readonly #limits: AttemptLimits;
  readonly #listener: AttemptListener;
  readonly #startedMs: number;
  readonly #attempt: ProviderAttempt;
  #firstTokenMs: number | undefined;
  #lastReadMs: number;
  #usage: Usage | undefined;
  #paused = false;
  #ended = false;
  #stopFirstTokenTimer: Cleanup;
  #stopIdleTimer: Cleanup;
  readonly #stopTotalTimer: Cleanup;

  /** Dispatches the attempt. */
  constructor(
    clock: Clock,
    provider: Provider,
    call: ProviderCall,
    limits: AttemptLimits,
    listener: AttemptListener,
  ) {
    this.#clock = clock;
    this.#limits = limits;
    this.#listener = listener;
    this.#startedMs = clock.nowMs();
    this.#lastReadMs = this.#startedMs;
    this.#stopFirstTokenTimer = this.#armFirstTokenTimer(limits.suspectMs ?? Infinity);
    this.#stopTotalTimer = clock.timer(limits.totalMs, () => this.#timeOut("total"));
    this.#stopIdleTimer = () => {};
    this.#attempt = provider.start(call, this);
  }

  /** Stops reading until `resume`; the idle timer stands still meanwhile. */
  pause(): void {
    if (this.#ended || this.#paused) return;
    this.#paused = true;
    this.#stopIdleTimer();
    this.#attempt.pause();
  }

  resume(): void {
    if (this.#ended || !this.#paused) return;
    this.#paused = false;
    this.#lastReadMs = this.#clock.nowMs();
    this.#armIdleTimer(this.#limits.idleMs);
    this.#attempt.resume();
  }

  /** Ends the attempt now: the caller left, or another attempt answered first. Does nothing after the end. */
  abort(outcome: "cancelled" | "superseded"): void {
    if (this.#ended) return;
    this.#attempt.abort();
    this.#finish({ kind: "failed", failure: { class: "cancelled" } }, outcome);
  }

  onActivity(): void {
    this.#lastReadMs = this.#clock.nowMs();
  }

  onQuota(headers: QuotaHeaders): void {
    if (!this.#ended) this.#listener.onQuota?.(headers);
  }

  onEvents(batch: readonly GenerationEvent[]): void {
    if (this.#ended) return;
    this.#lastReadMs = this.#clock.nowMs();
    for (const event of batch) {
      if (event.kind === "usage") this.#usage = event.usage;
      else if (this.#firstTokenMs === undefined) this.#recordFirstToken();
    }
    this.#listener.onBatch(batch);
  }

  onEnd(end: ProviderEnd): void {
    if (!this.#ended) this.#finish(end);
  }

  /** Watches for the limit, and before it for silence that is worth telling: one timer at a time. */
  #armFirstTokenTimer(lookMs: number): Cleanup {
    const untilMs = Math.min(lookMs, this.#limits.firstTokenMs);
    return this.#clock.timer(untilMs - (this.#clock.nowMs() - this.#startedMs), () => {
      if (untilMs >= this.#limits.firstTokenMs) return this.#timeOut("first_token");
      const nextMs = this.#listener.onSilence?.(untilMs) ?? Infinity;
      // Whoever was told may have ended it.
      if (!this.#ended) this.#stopFirstTokenTimer = this.#armFirstTokenTimer(Math.max(nextMs, untilMs + 1));
    });
  }

  /** From here on silence between reads is watched, instead of the wait for the first delta. */
  #recordFirstToken(): void {
    this.#firstTokenMs = this.#lastReadMs;
    this.#stopFirstTokenTimer();
    this.#armIdleTimer(this.#limits.idleMs);
  }

  /** One timer per idle period, not per read: when it fires it looks how long the silence really was. */
  #armIdleTimer(delayMs: number): void {
    if (this.#firstTokenMs === undefined) return;
    this.#stopIdleTimer = this.#clock.timer(delayMs, () => {
      const silentMs = this.#clock.nowMs() - this.#lastReadMs;
      if (silentMs >= this.#limits.idleMs) this.#timeOut("idle");
      else this.#armIdleTimer(this.#limits.idleMs - silentMs);
    });
  }

  #timeOut(timer: AttemptTimer): void {
    if (this.#ended) return;
    this.#attempt.abort();
    const failure: ProviderFailure = { class: "timeout", timer };
    this.#finish({ kind: "failed", failure });
  }

  #finish(
    end: ProviderEnd,
    outcome: Outcome = end.kind === "completed" ? "success" : end.failure.class,
  ): void {
    this.#ended = true;
    this.#stopFirstTokenTimer();
    this.#stopIdleTimer();
    this.#stopTotalTimer();
    this.#listener.onEnd({
      end,
      outcome,
      totalMs: this.#clock.nowMs() - this.#startedMs,
      timeToFirstTokenMs: this.#firstTokenMs === undefined ? undefined : this.#firstTokenMs - this.#startedMs,
      usage: this.#usage,
    });
  }
}
