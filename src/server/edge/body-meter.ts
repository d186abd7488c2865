import type { RouteError } from "../../domain/errors.ts";
import { describeNoRoom, describeSlowBody } from "./refusals.ts";
import type { RequestMemory } from "./request-memory.ts";

/** About what a call takes beside its body: its objects, and headers of usual size. */
const CALL_BYTES = 8 * 1024;

/** How fast a body must come. */
export interface BodyPace {
  readonly minBodyBytesPerSecond: number;
  readonly bodyWindowMs: number;
}

/**
 * Measures one request's body while it comes: what it holds of the memory for all
 * requests, and whether it comes fast enough.
 */
export class BodyMeter {
  readonly #memory: RequestMemory;
  /** Undefined where the caller may take its time: it streams. */
  readonly #pace: BodyPace | undefined;
  /** What it holds for the call itself, and for its body. */
  #callBytes = 0;
  #bodyBytes = 0;
  /** Since when the reader waits for bytes, and what came since then. */
  #windowStartMs: number | undefined;
  #windowBytes = 0;
  #onSlow: ((error: RouteError) => void) | undefined;

  constructor(memory: RequestMemory, pace: BodyPace | undefined) {
    this.#memory = memory;
    this.#pace = pace;
  }

  /** Makes room for the call itself. An error where there is none. */
  open(): RouteError | undefined {
    if (!this.#memory.takeForNew(CALL_BYTES)) return describeNoRoom();
    this.#callBytes = CALL_BYTES;
    return undefined;
  }

  /** Counts bytes that came. An error where there is no room for them. */
  receive(bytes: number): RouteError | undefined {
    this.#windowBytes += bytes;
    return this.hold(bytes);
  }

  /** Counts bytes that appear in memory otherwise, such as inflated ones. An error where there is no room for them. */
  hold(bytes: number): RouteError | undefined {
    if (!this.#memory.take(bytes)) return describeNoRoom();
    this.#bodyBytes += bytes;
    return undefined;
  }

  /** Gives back what the body holds beyond `bytes`: its messages before were dealt with. */
  keep(bytes: number): void {
    if (bytes >= this.#bodyBytes) return;
    this.#memory.giveBack(this.#bodyBytes - bytes);
    this.#bodyBytes = bytes;
  }

  /** The body is being waited for from now on; `fn` is called when it comes too slowly. */
  expect(nowMs: number, fn: (error: RouteError) => void): void {
    this.#windowStartMs = nowMs;
    this.#windowBytes = 0;
    this.#onSlow = fn;
  }

  /** The body is complete, or nobody wants more of it. */
  finish(): void {
    this.#windowStartMs = undefined;
    this.#onSlow = undefined;
  }

  /** Looks at the pace; to be called again and again. */
  checkPace(nowMs: number): void {
    if (this.#pace === undefined || this.#windowStartMs === undefined) return;
    const { bodyWindowMs, minBodyBytesPerSecond } = this.#pace;
    if (nowMs - this.#windowStartMs < bodyWindowMs) return;
    if (this.#windowBytes < (minBodyBytesPerSecond * bodyWindowMs) / 1_000) {
      const onSlow = this.#onSlow;
      this.finish();
      onSlow?.(describeSlowBody(minBodyBytesPerSecond));
      return;
    }
    this.#windowStartMs = nowMs;
    this.#windowBytes = 0;
  }

  /** The call is over: gives back what it held. */
  close(): void {
    this.finish();
    this.#memory.giveBack(this.#callBytes + this.#bodyBytes);
    this.#callBytes = 0;
    this.#bodyBytes = 0;
  }
}
