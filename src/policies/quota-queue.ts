import type { Cleanup, Clock, Random } from "../domain/ports.ts";

/** What the queue goes by: the limits of a deployment as far as they are known. */
export interface QuotaPace {
  /** Until there is room for one more attempt of every replica; 0 when there is, undefined while no limit is known. */
  roomDelayMs(nowMs: number): number | undefined;
  /** Between two attempts of this replica when it keeps to its even share; undefined while no limit is known. */
  spacingMs(nowMs: number): number | undefined;
  /** How many replicas share the limits, this one included. */
  countReplicas(nowMs: number): number;
}

/** What a queue is made with. */
export interface QuotaQueueParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly pace: QuotaPace;
  /** 0 or more. */
  readonly maxWaitingCount: number;
}

/** Room may come later than it was foreseen, when others take it. It is not looked for more often than this. */
const MIN_LOOK_MS = 50;
/** A queue that somebody has stood in for so long is no burst's: there is more to do than there is room for. */
const STANDING_MS = 45_000;
/** … and nobody for so long in between. */
const CLEAR_MS = 10_000;

/** How fast the notion of the time between two turns follows: the weight of each new one. */
const INTERVAL_WEIGHT = 0.2;

/**
 * Those who wait until a deployment's limits have room again, in the order of their
 * arrival. The first one's turn comes when there is room for one more attempt of each
 * replica, or when its own replica's even share of the limits has room: so all replicas
 * together keep to the limits though none knows who waits at the others.
 */
export class QuotaQueue {
  readonly #parts: QuotaQueueParts;
  readonly #waiting = new Set<() => void>();
  /** When the even share of the limits has room for the first one. */
  #shareMs = 0;
  /** Between two turns of late; undefined while nobody has had one since the queue was empty. */
  #intervalMs: number | undefined;
  #lastTurnMs: number | undefined;
  /** Since when somebody has waited, but for moments. */
  #openedMs = 0;
  #emptiedMs = Number.NEGATIVE_INFINITY;
  #stopTimer: Cleanup = () => {};

  constructor(parts: QuotaQueueParts) {
    this.#parts = parts;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Whether it does not empty any more: then waiting long helps nobody, because as many are served by a short queue as by a long one. */
  get isStanding(): boolean {
    const nowMs = this.#parts.clock.nowMs();
    const isOpen = this.#waiting.size > 0 || nowMs - this.#emptiedMs <= CLEAR_MS;
    return isOpen && nowMs - this.#openedMs >= STANDING_MS;
  }

  /** How long a newcomer's turn is away, as far as can be told; undefined where it cannot wait. */
  get turnDelayMs(): number | undefined {
    const { clock, pace, maxWaitingCount } = this.#parts;
    if (this.#waiting.size >= maxWaitingCount) return undefined;
    const nowMs = clock.nowMs();
    const spacingMs = pace.spacingMs(nowMs);
    if (spacingMs === undefined) return undefined;
    if (this.#waiting.size === 0) return Math.min(spacingMs, pace.roomDelayMs(nowMs) ?? spacingMs);
    return this.#waiting.size * (this.#intervalMs ?? spacingMs) + Math.max(this.#shareMs - nowMs, 0);
  }

  /** Waits; `onTurn` is called once. Returns what leaves the queue again. */
  wait(onTurn: () => void): Cleanup {
    const waiter = () => onTurn();
    if (this.#waiting.size === 0) this.#open();
    this.#waiting.add(waiter);
    return () => {
      if (this.#waiting.delete(waiter)) this.#noteLeft();
    };
  }

  /** Releases the timer. */
  close(): void {
    this.#stopTimer();
  }

  #open(): void {
    const { clock, random, pace } = this.#parts;
    const nowMs = clock.nowMs();
    if (nowMs - this.#emptiedMs > CLEAR_MS) this.#openedMs = nowMs;
    // Replicas whose limits run out at the same moment shall not come back at the same moment, nor any before one has room.
    const leastRatio = 1 / pace.countReplicas(nowMs);
    const ratio = leastRatio + (1 - leastRatio) * random.next();
    this.#shareMs = nowMs + ratio * (pace.spacingMs(nowMs) ?? 0);
    this.#intervalMs = undefined;
    this.#lastTurnMs = undefined;
    this.#rest();
  }

  #rest(): void {
    const { clock, pace } = this.#parts;
    const nowMs = clock.nowMs();
    const roomMs = Math.max(pace.roomDelayMs(nowMs) ?? 0, MIN_LOOK_MS);
    this.#stopTimer();
    this.#stopTimer = clock.timer(Math.min(roomMs, Math.max(this.#shareMs - nowMs, 0)), () => this.#look());
  }

  #look(): void {
    const { clock, pace } = this.#parts;
    const nowMs = clock.nowMs();
    const [first] = this.#waiting;
    if (first === undefined) return;
    if (nowMs < this.#shareMs && pace.roomDelayMs(nowMs) !== 0) return this.#rest();
    this.#waiting.delete(first);
    this.#noteTurn(nowMs);
    this.#shareMs = nowMs + (pace.spacingMs(nowMs) ?? 0);
    if (this.#waiting.size > 0) this.#rest();
    else this.#noteLeft();
    first();
  }

  #noteLeft(): void {
    if (this.#waiting.size > 0) return;
    this.#emptiedMs = this.#parts.clock.nowMs();
    this.#stopTimer();
  }

  #noteTurn(nowMs: number): void {
    if (this.#lastTurnMs !== undefined) {
      const intervalMs = nowMs - this.#lastTurnMs;
      const before = this.#intervalMs ?? intervalMs;
      this.#intervalMs = before + INTERVAL_WEIGHT * (intervalMs - before);
    }
    this.#lastTurnMs = nowMs;
  }
}
